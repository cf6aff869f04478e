# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""Find what breaks, blocks or loads lazily when FastAPI code moves to async SQLAlchemy."""

import argparse
import ast
import json
import os
import re
import sys
import tokenize
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from itertools import takewhile
from pathlib import Path
from typing import Any

RULES = {
    "sync-query": "Query, which AsyncSession does not have, in async code",
    "sync-session": "a sync Session or Connection at work in `async def`",
    "missing-await": "a coroutine of the database that nobody awaits",
    "needless-await": "`await` on what is not a coroutine",
    "sync-driver": "a database URL that names a sync driver",
    "lazy-load": "a relationship that no option of its query loads",
    "expired-attribute": "an attribute read after the commit that expired it",
    "blocking-call": "a call that stops the event loop",
    "lost-session": "one session in several tasks",
}
SKIPPED = {".git", ".nox", ".tox", ".venv", "__pycache__", "build", "node_modules", "venv"}
IGNORE = re.compile(r"#\s*audit:\s*ignore(?:\[([^\]]*)\])?")
PASSWORD = re.compile(r"(://[^:/@\s'\"]*):[^/\s'\"]*@")

# Never looked for among the files: a module of their name there is another one.
OUTSIDE = sys.stdlib_module_names | {"fastapi", "httpx", "requests", "sqlalchemy", "sqlmodel"}


def words(text: str) -> set[str]:
    return set(text.split())


COROUTINES = {
    "AsyncSession": words(
        "aclose close commit connection delete delete_all exec execute flush get get_one "
        "invalidate merge merge_all refresh reset rollback run_sync scalar scalars stream "
        "stream_scalars"
    ),
    "AsyncConnection": words(
        "aclose close commit exec_driver_sql execute execution_options get_isolation_level "
        "get_raw_connection invalidate rollback run_sync scalar scalars"
    ),
    "AsyncEngine": {"dispose"},
    "AsyncResult": words(
        "all close fetchall fetchmany fetchone first one one_or_none scalar scalar_one "
        "scalar_one_or_none"
    ),
}
PLAIN = {
    "AsyncSession": words(
        "add add_all expire expire_all expunge expunge_all get_bind in_transaction is_modified"
    ),
    "AsyncConnection": {"in_transaction", "in_nested_transaction"},
    "AsyncResult": {"columns", "keys", "mappings", "scalars", "tuples", "unique", "yield_per"},
    "Result": words(
        "all columns fetchall fetchmany fetchone first keys mappings one one_or_none scalar "
        "scalar_one scalar_one_or_none scalars tuples unique"
    ),
}
PLAIN["ScalarResult"] = PLAIN["Result"]
SESSION_NAMES = {"async_session", "db", "db_session", "session"}
SESSION_GIVER = re.compile(r"(?:\b|_)(?:db|database|session|sessionmaker|transaction)(?:\b|_)")
# What takes its argument's value at once.
CONSUMERS = words("all any bool dict enumerate float int iter len list max min next set sorted str")
CONSUMERS |= words("sum tuple zip")
OF_COROUTINE = {"__await__", "close", "cr_frame", "cr_running", "send", "throw"}
# What a sync session does without the database.
HARMLESS = PLAIN["AsyncSession"] | {"bind", "get_transaction", "identity_map", "info", "new"}
SYNC = {"Session": "AsyncSession", "Connection": "AsyncConnection"}
ASYNC = set(SYNC.values())

BLOCKING = {
    "os.system",
    "time.sleep",
    "urllib.request.urlopen",
    *(f"subprocess.{name}" for name in ("call", "check_call", "check_output", "run")),
    *(
        f"{library}.{name}"
        for library in ("httpx", "requests")
        for name in ("delete", "get", "head", "options", "patch", "post", "put", "request")
    ),
    "httpx.Client",
    "httpx.stream",
    "requests.Session",
    "requests.session",
}

SYNC_URL = re.compile(
    r"(postgresql(?:\+psycopg2)?|(?:mysql|mariadb)(?:\+(?:pymysql|mysqldb))?|sqlite(?:\+pysqlite)?)://"
)
ASYNC_URL = re.compile(r"(postgresql|mysql|mariadb|sqlite)\+(?:asyncpg|aio\w+|asyncmy|psycopg\b)")
# A line that turns a URL into another.
REWRITES = re.compile(r"replace\(|sub\(|drivername|[\"'] \+")
ASYNC_DRIVER = {
    "postgresql": "postgresql+asyncpg://",
    "mysql": "mysql+aiomysql://",
    "mariadb": "mariadb+aiomysql://",
    "sqlite": "sqlite+aiosqlite://",
}
# Where such a text is compared or rewritten, not connected to.
REWRITING = words(
    "compile count create_engine find fullmatch index len lstrip match partition print "
    "removeprefix replace search split startswith sub"
)

AsyncDef = ast.AsyncFunctionDef
Def = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.Assign | ast.AnnAssign
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


@dataclass(frozen=True)
class Finding:
    file: str
    line: int
    column: int
    rule: str
    severity: str
    why: str
    instead: str

    def __str__(self) -> str:
        advice = self.instead.replace("\n", "\n    ")
        return f"{self.file}:{self.line}:{self.column}: {self.rule}: {self.why}\n    {advice}"


@dataclass(eq=False)
class Module:
    """A file, and what its names are defined by: nodes, or dotted names of imports."""

    path: Path
    tree: ast.Module
    lines: list[str]
    names: dict[str, list[ast.AST | str]] = field(default_factory=lambda: defaultdict(list))
    stars: list[str] = field(default_factory=list)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        parts = self.path.resolve().with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def uses_sqlalchemy(self) -> bool:
        origins = (origin for found in self.names.values() for origin in found)
        return any(isinstance(o, str) and o.startswith(("sqlalchemy", "sqlmodel")) for o in origins)

    def absolute(self, name: str | None, level: int) -> str:
        """The dotted name that `from ..name import` means here; from the root when relative."""
        if not level:
            return name or ""
        drop = level - (self.path.name == "__init__.py")
        parts = self.parts[: len(self.parts) - drop] if drop else self.parts
        return ".".join(("", *parts[1:], *([name] if name else [])))


@dataclass(frozen=True)
class Class:
    node: ast.ClassDef
    module: Module = field(compare=False)


@dataclass(frozen=True)
class Function:
    node: Def
    module: Module = field(compare=False)
    owner: Class | None = field(default=None, compare=False)
    outer: "dict[str, Thing | None]" = field(default_factory=dict, compare=False)

    @cached_property
    def decorators(self) -> set[str]:
        nodes = (d.func if isinstance(d, ast.Call) else d for d in self.node.decorator_list)
        return {last_name(node) for node in nodes}


@dataclass(frozen=True)
class Thing:
    """What an expression is, as far as it matters here.

    `of` is what it gives when awaited, called, entered or iterated, depending on its kind.
    """

    kind: str
    of: "Thing | None" = None
    name: str = ""
    source: Module | Class | Function | None = None
    # Of an object: the attributes that its query loads; None when that is not known.
    loaded: frozenset[str] | None = None
    # Of a session: whether commit expires its objects; None when that is not known.
    expires: bool | None = None
    node: ast.AST | None = field(default=None, compare=False)


@dataclass
class Scope:
    names: dict[str, Thing | None]
    expired: set[str] = field(default_factory=set)

    def copy(self) -> "Scope":
        return Scope(dict(self.names), set(self.expired))

    @staticmethod
    def merged(scopes: "Sequence[Scope]") -> "Scope":
        names = dict(scopes[0].names)
        for scope in scopes[1:]:
            for name, thing in scope.names.items():
                names[name] = either(names[name], thing) if name in names else thing
        return Scope(names, set().union(*(scope.expired for scope in scopes)))


def either(one: Thing | None, other: Thing | None) -> Thing | None:
    """What a name is after two branches."""
    if one is None or other is None or one.kind != other.kind:
        return None
    if one == other:
        return one
    if one.kind in ("statement", "object", "Result", "ScalarResult", "list"):
        loaded = None
        if one.loaded is not None and other.loaded is not None:
            loaded = one.loaded | other.loaded
        if one.source is other.source:
            return replace(one, loaded=loaded, of=either(one.of, other.of))
    if one.kind == "AsyncSession":
        return replace(one, expires=None)
    return None


def first(things: Iterable[Thing | None]) -> Thing | None:
    return next((thing for thing in things if thing), None)


def agreed(things: Iterable[Thing | None]) -> Thing | None:
    """What is known of several, when it is the same."""
    known = [thing for thing in things if thing]
    return known[0] if len({thing.kind for thing in known}) == 1 else None


def last_name(node: ast.AST | None) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def swap(node: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    """A copy of `node` in which `new` stands for `old`."""
    if node is old:
        return new

    def copied(value: object) -> object:
        if isinstance(value, list):
            return [copied(item) for item in value]
        return swap(value, old, new) if isinstance(value, ast.AST) else value

    fields = {name: copied(value) for name, value in ast.iter_fields(node)}
    return ast.copy_location(type(node)(**fields), node)


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes under `function` that run when it runs, not when something in it is called."""
    nodes = list(ast.iter_child_nodes(function))
    while nodes:
        node = nodes.pop()
        yield node
        if not isinstance(node, Def | ast.Lambda | ast.ClassDef):
            nodes.extend(ast.iter_child_nodes(node))


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in call.keywords if k.arg == name), None)


def mentioned(nodes: Iterable[ast.AST]) -> frozenset[str] | None:
    """Every attribute named in loader options; None when they are built somewhere else."""
    names = set()
    for node in nodes:
        if not any(isinstance(part, ast.Call) for part in ast.walk(node)):
            return None
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute):
                names.add(part.attr)
            elif isinstance(part, ast.Constant) and part.value == "*":
                return None
            elif isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                if not part.func.id.endswith(("load", "load_only", "eager", "defer", "Load")):
                    return None
            elif isinstance(part, ast.Starred | ast.Subscript):
                return None
    return frozenset(names)


TYPES = {
    name: Thing("type", of=Thing(name))
    for name in ("AsyncSession", "AsyncConnection", "AsyncEngine", "Session", "Connection")
}
TYPES |= {
    "Engine": Thing("type", of=Thing("Engine")),
    "AsyncResult": Thing("type", of=Thing("AsyncResult")),
    "AsyncScalarResult": Thing("type", of=Thing("AsyncResult")),
    "Result": Thing("type", of=Thing("Result")),
    "ScalarResult": Thing("type", of=Thing("ScalarResult")),
}
MAKERS = {
    "async_sessionmaker": Thing("AsyncSession"),
    "async_scoped_session": Thing("AsyncSession"),
    "sessionmaker": Thing("Session"),
    "scoped_session": Thing("Session"),
}


def outside(dotted: str) -> Thing:
    """Something that is not defined in the code base."""
    root, _, name = dotted.rpartition(".")
    if root.split(".")[0] in ("sqlalchemy", "sqlmodel"):
        return TYPES.get(name) or Thing("outside", name=f"sqlalchemy.{name}")
    return Thing("outside", name=dotted)


def remembered(method: Callable[..., Any]) -> Any:
    """Answer once; None while the answer is being found, which ends circles."""

    @wraps(method)
    def answer(self: "CodeBase", *arguments: Any) -> Any:
        key = (method.__name__, *arguments)
        if key not in self.answers:
            self.answers[key] = None
            self.answers[key] = method(self, *arguments)
        return self.answers[key]

    return answer


class CodeBase:
    """All files that were given, and what the names in them mean across files."""

    def __init__(self, modules: list[Module]) -> None:
        self.modules = modules
        self.by_name: dict[str, list[Module]] = defaultdict(list)
        self.packages = {m.parts for m in modules if m.path.name == "__init__.py"}
        self.classes: dict[str, list[Class]] = defaultdict(list)
        self.answers: dict[tuple[Any, ...], Any] = {}
        for module in modules:
            self.by_name[module.parts[-1] if module.parts else ""].append(module)
            self._collect(module, module.tree.body)

    def _collect(self, module: Module, body: Iterable[ast.AST], *, inside: bool = False) -> None:
        names = module.names
        for node in body:
            match node:
                case ast.Import():
                    for alias in node.names:
                        if alias.asname:
                            names[alias.asname].append(alias.name)
                        else:
                            root = alias.name.split(".")[0]
                            names[root].append(root)
                case ast.ImportFrom():
                    origin = module.absolute(node.module, node.level)
                    for alias in node.names:
                        if alias.name == "*":
                            module.stars.append(origin)
                        else:
                            names[alias.asname or alias.name].append(f"{origin}.{alias.name}")
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    names[node.name].append(node)
                    shared = {
                        n for g in own_nodes(node) if isinstance(g, ast.Global) for n in g.names
                    }
                    for part in own_nodes(node) if shared else ():
                        if isinstance(part, ast.Assign) and last_name(part.targets[0]) in shared:
                            names[last_name(part.targets[0])].append(part.value)
                case ast.ClassDef():
                    names[node.name].append(node)
                    self.classes[node.name].append(Class(node, module))
                case ast.Assign():
                    for target in node.targets:
                        if isinstance(target, ast.Name):
                            names[target.id].append(node.value)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    names[name].append(node)
                case ast.If() | ast.Try() | ast.With() | ast.For() | ast.ExceptHandler():
                    self._collect(module, ast.iter_child_nodes(node))
                case _ if type(node).__name__ == "TypeAlias":
                    names[node.name.id].append(node.value)  # type: ignore[attr-defined]

    @remembered
    def module_named(self, dotted: str, importer: Module) -> Module | None:
        wanted = tuple(part for part in dotted.split(".") if part)
        if not wanted or (not dotted.startswith(".") and wanted[0] in OUTSIDE):
            return None
        candidates = [
            module
            for module in self.by_name.get(wanted[-1], ())
            if module.parts[-len(wanted) :] == wanted
            and (dotted.startswith(".") or module.parts[: -len(wanted)] not in self.packages)
        ]

        def closeness(module: Module) -> int:
            pairs = zip(module.parts, importer.parts, strict=False)
            return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

        return max(candidates, key=closeness, default=None)

    def imported(self, dotted: str, importer: Module) -> Thing | None:
        module = self.module_named(dotted, importer)
        if module:
            return Thing("module", source=module, name=dotted)
        origin, _, name = dotted.rpartition(".")
        module = self.module_named(origin, importer) if origin else None
        if module:
            return self.lookup(module, name)
        return None if dotted.startswith(".") else outside(dotted)

    @remembered
    def lookup(self, module: Module, name: str) -> Thing | None:
        nodes = module.names.get(name, [])
        functions = [node for node in nodes if isinstance(node, Def)]
        if functions:
            if len({type(node) for node in functions}) > 1 or len(functions) < len(nodes):
                return None
            return Thing("function", source=Function(functions[-1], module), name=name)
        found = first(self._defined(module, node) for node in reversed(nodes))
        if found or nodes:
            return found
        modules = (self.module_named(star, module) for star in module.stars)
        found = first(self.lookup(other, name) for other in modules if other)
        if found:
            return found
        for star in module.stars:
            if star.split(".")[0] in ("sqlalchemy", "sqlmodel") and name in TYPES:
                return outside(f"{star}.{name}")
        return None

    def _defined(self, module: Module, node: ast.AST | str) -> Thing | None:
        match node:
            case str():
                return self.imported(node, module)
            case ast.ClassDef():
                return Thing("class", source=Class(node, module))
            case ast.AnnAssign():
                walk = Walk(self, module)
                return walk.annotation(node.annotation) or (
                    walk.look(node.value) if node.value else None
                )
            case ast.expr():
                return Walk(self, module).look(node)
            case _:
                return None

    @remembered
    def run(self, function: Function) -> "Walk | None":
        """A walk through the function that reports nothing: what it returns, yields and sets."""
        walk = Walk(self, function.module, function)
        walk.run()
        return walk

    @remembered
    def result(self, function: Function) -> Thing | None:
        """What calling the function gives."""
        node = function.node
        annotated = Walk(self, function.module, function).annotation(node.returns)
        if annotated is None or annotated.expires is None:
            walk = self.run(function)
            if walk:
                annotated = agreed(walk.yielded) or agreed(walk.returned) or annotated
            if annotated and walk and walk.yielded and annotated.kind != "generator":
                annotated = Thing("generator", of=annotated)
        if function.decorators & {"asynccontextmanager", "contextmanager"}:
            of = annotated.of if annotated and annotated.kind == "generator" else annotated
            return Thing("context", of=of)
        generator = any(isinstance(part, ast.Yield | ast.YieldFrom) for part in own_nodes(node))
        if generator:
            return annotated
        if not isinstance(node, AsyncDef):
            # It may return a coroutine on purpose.
            sure = annotated is None or annotated.kind != "awaitable"
            return annotated if sure else replace(annotated, name="")
        # A decorator may have turned the coroutine into something else.
        plain = function.decorators <= {"staticmethod", "classmethod"}
        abstract = function.owner and is_stub(node)
        return Thing("awaitable", of=annotated, name=node.name if plain and not abstract else "")

    def provided(self, thing: Thing | None) -> Thing | None:
        """What `Depends(thing)` gives."""
        if thing and thing.kind == "function" and isinstance(thing.source, Function):
            thing = self.result(thing.source)
            if thing and thing.kind in ("awaitable", "context", "generator"):
                thing = thing.of
            return replace(thing, name="") if thing and thing.kind == "object" else thing
        if thing and thing.kind == "method":
            return None
        return self.instance(thing)

    @remembered
    def instance(self, thing: Thing | None) -> Thing | None:
        """What a value is whose annotation, or whose class, is `thing`."""
        if thing is None:
            return None
        if thing.kind == "type":
            return thing.of
        if thing.kind == "class" and isinstance(thing.source, Class):
            for base in self.lineage(thing.source) or ():
                for node in base.node.bases:
                    parent = Walk(self, base.module).look(node)
                    if parent and parent.kind == "type" and parent.of:
                        return parent.of
            return Thing("object", source=thing.source)
        if thing.kind == "outside" and thing.name.startswith("sqlalchemy."):
            made = MAKERS.get(thing.name.split(".")[1])
            # A bare `sessionmaker` may make either, by its `class_`.
            return Thing("maker", of=made) if made and made.kind in ASYNC else None
        return None

    @remembered
    def lineage(self, cls: Class) -> list[Class]:
        """The class and its bases in the code base, nearest first."""
        classes = [cls]
        for current in classes:
            for base in current.node.bases:
                node = base.value if isinstance(base, ast.Subscript) else base
                thing = Walk(self, current.module).look(node)
                if thing and isinstance(thing.source, Class) and thing.source not in classes:
                    classes.append(thing.source)
        return classes

    @remembered
    def member(self, cls: Class, name: str) -> Thing | None:
        return first(self._member(c, name) for c in self.lineage(cls) or ())

    def _member(self, cls: Class, name: str) -> Thing | None:
        found = None
        for node in cls.node.body:
            match node:
                case ast.AnnAssign(target=ast.Name(id=target)) if target == name:
                    found = Walk(self, cls.module).annotation(node.annotation)
                case ast.Assign(targets=[ast.Name(id=target)]) if target == name:
                    found = Walk(self, cls.module).look(node.value)
                case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name == name:
                    function = Function(node, cls.module, cls)
                    if function.decorators & {"property", "cached_property"}:
                        return self.result(function)
                    return Thing("function", source=function, name=name)
        if found:
            return found
        for node in self.setters(cls).get(name, ()):
            walk = self.run(Function(node, cls.module, cls))
            if walk and (found := walk.members.get(name)):
                return found
        return None

    @remembered
    def setters(self, cls: Class) -> dict[str, list[Def]]:
        """The methods that set each attribute."""
        found = defaultdict(list)
        for node in cls.node.body:
            for part in own_nodes(node) if isinstance(node, Def) else ():
                if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                    found[part.attr].append(node)
        return found

    @remembered
    def mapping(self, cls: Class) -> tuple[set[str], dict[str, Definition]]:
        """The columns of a mapped class, and its relationships with their definitions."""
        columns: set[str] = set()
        relationships: dict[str, Definition] = {}
        for base in self.lineage(cls) or ():
            more_columns, more_relationships = self.own_mapping(base)
            columns |= more_columns
            relationships = more_relationships | relationships
        return columns, relationships

    @remembered
    def own_mapping(self, cls: Class) -> tuple[set[str], dict[str, Definition]]:
        columns, relationships = set(), {}
        table = any(k.arg == "table" and constant(k.value) is True for k in cls.node.keywords)
        for node in cls.node.body:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name)):
                    annotated = node.annotation
                case ast.Assign(targets=[ast.Name(id=name)]):
                    annotated = None
                case _:
                    continue
            made = last_name(node.value.func) if isinstance(node.value, ast.Call) else ""
            mapped = isinstance(annotated, ast.Subscript) and last_name(annotated.value) == "Mapped"
            if made.lower() == "relationship":
                relationships[name] = node
            elif (
                made in ("mapped_column", "Column")
                or (table and annotated)
                or (mapped and not made)
            ):
                columns.add(name)
        return columns, relationships

    @cached_property
    def sessions_expire(self) -> bool:
        """Whether every async session that the code base makes expires its objects."""
        made = []
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and last_name(node.func) in (
                    "async_sessionmaker",
                    "sessionmaker",
                    "AsyncSession",
                ):
                    thing = Walk(self, module).look(node)
                    thing = thing.of if thing and thing.kind == "maker" else thing
                    if thing and thing.kind == "AsyncSession":
                        made.append(thing.expires)
        return bool(made) and all(made)


def of_database(thing: Thing | None) -> bool:
    """Whether a coroutine is of a session, a connection or a result, not a function's own."""
    return bool(thing and thing.kind == "awaitable" and "." in thing.name)


def is_stub(node: Def) -> bool:
    """Whether a body is nothing but a docstring, `...`, `pass` or `raise`."""
    return all(
        isinstance(s, ast.Pass | ast.Raise)
        or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in node.body
    )


class Walk:
    """Reads one function, or the body of a module, in the order in which it runs."""

    def __init__(
        self,
        base: CodeBase,
        module: Module,
        function: Function | None = None,
        findings: "dict[tuple[int, int, str], Finding] | None" = None,
    ) -> None:
        self.base = base
        self.module = module
        self.function = function
        self.findings = findings
        self.scope = Scope({})
        self.outer = function.outer if function else {}
        self.is_async = bool(function and isinstance(function.node, AsyncDef))
        self.returned: list[Thing | None] = []
        self.yielded: list[Thing | None] = []
        self.members: dict[str, Thing | None] = {}
        self.blocking: list[str] = []
        self.plain_calls: set[ast.AST] = set()
        self.origins: dict[str, ast.AST] = {}
        self.spoken: set[str] = set()
        self.started: Counter[str] = Counter()
        self.loops: list[set[str]] = []
        self.awaiting: ast.AST | None = None

    # Reporting

    def report(
        self, rule: str, node: ast.AST, why: str, instead: str, severity: str = "error"
    ) -> None:
        if self.findings is None:
            return
        line, column = node.lineno, node.col_offset + 1  # type: ignore[attr-defined]
        last = getattr(node, "end_lineno", line)
        if ignored(self.module, {line, last}, rule):
            return
        why, instead = (PASSWORD.sub(r"\1:***@", text) for text in (why, instead))
        finding = Finding(str(self.module.path), line, column, rule, severity, why, instead)
        self.findings.setdefault((line, column, rule), finding)

    def rewritten(self, old: ast.AST, new: ast.AST) -> str:
        """The statement around `old`, or its head, with `new` in its place."""
        top = old
        while True:
            parent = self.module.parents.get(top)
            if parent is None or isinstance(parent, ast.mod | ast.ExceptHandler | ast.match_case):
                break
            if isinstance(parent, ast.stmt) and hasattr(parent, "body"):
                break
            if isinstance(parent, ast.comprehension | ast.withitem | ast.Lambda):
                break
            top = parent
            if isinstance(parent, ast.stmt):
                break
        return ast.unparse(swap(top, old, new))

    def unawaited(self, thing: Thing | None) -> bool:
        """Report a coroutine that is used as if it were its result."""
        if thing is None or thing.kind != "awaitable" or not thing.name or thing.node is None:
            return False
        node = thing.node
        assert isinstance(node, ast.expr)
        if self.is_async:
            advice = self.rewritten(node, ast.Await(node))
        else:
            advice = f"in `async def`: {self.rewritten(node, ast.Await(node))}"
        why = f"`{thing.name}()` gives a coroutine; without `await` nothing is run"
        self.report("missing-await", node, why, advice)
        return True

    def used(self, node: ast.expr, *, truth: bool = False) -> Thing | None:
        """What `node` is, where its value is needed at once."""
        thing = self.look(node)
        if truth and isinstance(node, ast.Name):
            return thing
        if self.unawaited(thing) and isinstance(node, ast.Name):
            self.scope.names[node.id] = None
        return None if thing and thing.kind == "awaitable" else thing

    # Statements

    def run(self) -> None:
        function = self.function
        if function is None:
            self.block(self.module.tree.body)
            return
        self.parameters(function)
        self.block(function.node.body)

    def parameters(self, function: Function) -> None:
        arguments = function.node.args
        names = [*arguments.posonlyargs, *arguments.args]
        defaults: dict[ast.arg, ast.expr | None] = dict(
            zip(reversed(names), reversed(arguments.defaults), strict=False)
        )
        defaults |= dict(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
        for arg in [*names, *arguments.kwonlyargs]:
            thing = self.annotation(arg.annotation)
            default = defaults.get(arg)
            if isinstance(default, ast.Call) and last_name(default.func) in ("Depends", "Security"):
                made = self.look(default)
                # What `Depends(make())` gives is less sure than what is written.
                known = default.args and isinstance(default.args[0], ast.Name | ast.Attribute)
                thing = made or thing if known else thing or made
            if names[:1] == [arg] and function.owner and "staticmethod" not in function.decorators:
                own = Thing("class", source=function.owner)
                thing = own if "classmethod" in function.decorators else self.base.instance(own)
            self.scope.names[arg.arg] = thing
            if thing and thing.kind in SYNC:
                self.origins[arg.arg] = arg
        for arg in (arguments.vararg, arguments.kwarg):
            if arg:
                self.scope.names[arg.arg] = None

    def block(self, statements: Sequence[ast.stmt]) -> bool:
        """Walk the statements; whether what follows them is reached."""
        return all(self.statement(statement) for statement in statements)

    def branches(self, blocks: Sequence[Sequence[ast.stmt]], before: Scope | None = None) -> bool:
        before = before or self.scope
        ends = []
        for block in blocks:
            self.scope = before.copy()
            if self.block(block):
                ends.append(self.scope)
        self.scope = Scope.merged(ends) if ends else before
        return bool(ends)

    def statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Expr():
                self.expression_statement(node.value)
            case ast.Assign():
                thing = self.look(node.value)
                for target in node.targets:
                    self.bind(target, thing, node.value)
            case ast.AnnAssign():
                thing = self.look(node.value) if node.value else None
                annotated = self.annotation(node.annotation)
                better = thing if thing and thing.kind == "awaitable" else annotated or thing
                if thing and annotated and thing.kind == annotated.kind:
                    better = thing
                self.bind(node.target, better, node.value)
            case ast.AugAssign():
                self.used(node.value)
            case ast.Return():
                thing = self.look(node.value) if node.value else None
                if self.is_async and isinstance(node.value, ast.Call) and of_database(thing):
                    thing = None if self.unawaited(thing) else thing
                self.returned.append(thing)
                return False
            case ast.Raise():
                for part in (node.exc, node.cause):
                    if part:
                        self.look(part)
                return False
            case ast.Continue() | ast.Break():
                return False
            case ast.Assert():
                self.used(node.test, truth=True)
            case ast.If():
                self.used(node.test, truth=True)
                return self.branches([node.body, node.orelse])
            case ast.For() | ast.AsyncFor():
                self.loop(node, node.target, self.used(node.iter))
            case ast.While():
                self.used(node.test, truth=True)
                self.loop(node, None, None)
            case ast.With() | ast.AsyncWith():
                return self.with_block(node)
            case ast.Try() | ast.TryStar():
                return self.try_block(node)
            case ast.Match():
                self.used(node.subject)
                return self.branches([*(case.body for case in node.cases), []])
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.definition(node)
            case ast.ClassDef():
                cls = Class(node, self.module)
                for part in node.body:
                    if isinstance(part, Def):
                        self.definition(part, cls)
                    elif isinstance(part, ast.ClassDef):
                        self.statement(part)
                self.scope.names[node.name] = Thing("class", source=cls)
            case ast.Import() | ast.ImportFrom():
                self.local_import(node)
            case ast.Global() | ast.Nonlocal():
                pass
            case _:
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.look(part)
        return True

    def expression_statement(self, node: ast.expr) -> None:
        thing = self.look(node)
        if isinstance(node, ast.Call):
            self.unawaited(thing)

    def local_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                dotted = f"{self.module.absolute(node.module, node.level)}.{alias.name}"
                name = alias.asname or alias.name
            else:
                name = alias.asname or alias.name.split(".")[0]
                dotted = alias.name if alias.asname else name
            self.scope.names[name] = self.base.imported(dotted, self.module)

    def definition(self, node: Def, owner: Class | None = None) -> None:
        for part in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if part:
                self.look(part)
        outer = {**self.outer, **self.scope.names} if self.function else {}
        function = Function(node, self.module, owner, outer)
        if owner is None and self.function:
            self.scope.names[node.name] = Thing("function", source=function, name=node.name)
        if self.findings is not None:
            Walk(self.base, self.module, function, self.findings).run()

    def loop(
        self, node: ast.For | ast.AsyncFor | ast.While, target: ast.expr | None, thing: Thing | None
    ) -> None:
        before = self.scope.copy()
        bound = {
            part.id
            for part in ast.walk(node)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        self.loops.append(bound)
        if target:
            self.bind(target, thing.of if thing and thing.kind in ITERABLE else None, None)
        reached = self.block(node.body)
        self.loops.pop()
        self.scope = Scope.merged([before, self.scope]) if reached else before
        self.block(node.orelse)

    def with_block(self, node: ast.With | ast.AsyncWith) -> bool:
        committed = []
        for item in node.items:
            thing = self.look(item.context_expr)
            if thing and thing.name == "commits" and thing.of:
                committed.append(thing.of)
            match thing:
                case Thing(kind="AsyncSession" | "AsyncConnection" | "Session" | "Connection"):
                    # The wrong `with` shows that it is something else.
                    same = (thing.kind in ASYNC) is isinstance(node, ast.AsyncWith)
                    entered = thing if same else None
                case Thing(kind="context" | "generator"):
                    entered = thing.of
                case Thing(kind="startable") if isinstance(node, ast.AsyncWith):
                    entered = thing.of
                case Thing(kind="object", source=Class() as source):
                    name = "__aenter__" if isinstance(node, ast.AsyncWith) else "__enter__"
                    method = self.base.member(source, name)
                    entered = thing
                    if method and isinstance(method.source, Function):
                        result = self.base.result(method.source)
                        if result and result.kind == "awaitable":
                            result = result.of
                        entered = result or thing
                case None if isinstance(node, ast.AsyncWith):
                    entered = self.session_by_name(item)
                case _:
                    entered = None
            if item.optional_vars:
                self.bind(item.optional_vars, entered, item.context_expr)
            if isinstance(node, ast.With) and entered and entered.kind in SYNC:
                if entered is thing and not isinstance(item.context_expr, ast.Call):
                    continue
                self.sync_session(item.context_expr, entered, item=item)
        reached = self.block(node.body)
        for session in committed:
            self.committed(session)
        return reached

    def session_by_name(self, item: ast.withitem) -> Thing | None:
        """A session, by its name and by what gives it, where SQLAlchemy is in use."""
        call = item.context_expr
        if last_name(item.optional_vars) not in SESSION_NAMES or not isinstance(call, ast.Call):
            return None
        giver = ast.unparse(call.func)
        named = last_name(call.func).islower() and SESSION_GIVER.search(giver)
        return Thing("AsyncSession") if named and self.module.uses_sqlalchemy else None

    def try_block(self, node: ast.Try | ast.TryStar) -> bool:
        before = self.scope.copy()
        reached = self.block([*node.body, *node.orelse])
        ends = [self.scope] if reached else []
        # Names that the body bound may be there; its commit is not, where it failed.
        before = Scope(Scope.merged([before, self.scope]).names, before.expired)
        for handler in node.handlers:
            self.scope = before.copy()
            if handler.name:
                self.scope.names[handler.name] = None
            if self.block(handler.body):
                ends.append(self.scope)
        self.scope = Scope.merged(ends) if ends else before
        return self.block(node.finalbody) and bool(ends)

    def bind(self, target: ast.expr, thing: Thing | None, value: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                if thing and thing.kind == "AsyncSession":
                    thing = replace(thing, name=name)
                self.scope.names[name] = thing
                self.scope.expired.discard(name)
                self.origins.pop(name, None)
                if thing and thing.kind in SYNC and value is not None:
                    self.origins[name] = value
                if of_database(thing) and self.only_tested(name):
                    self.unawaited(thing)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                parent = self.used(target.value)
                if parent and self.function and parent.source == self.function.owner:
                    self.members[name] = thing
                if parent and parent.kind == "object" and parent.loaded is not None:
                    loaded = parent.loaded | {name}
                    self.scope.names[owner] = replace(parent, loaded=loaded)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for index, element in enumerate(elements):
                    part = thing.of if thing and thing.kind == "row" and index == 0 else None
                    if isinstance(value, ast.Tuple) and len(value.elts) == len(elements):
                        part = self.look(value.elts[index])
                    self.bind(element, part, None)
            case ast.Starred():
                self.bind(target.value, None, None)
            case _:
                self.look(target)

    # Expressions

    def look(self, node: ast.expr | None) -> Thing | None:
        """What the expression is; findings in it are reported on the way."""
        match node:
            case None | ast.Constant() | ast.Lambda():
                return None
            case ast.Name():
                return self.named(node.id)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.call(node)
            case ast.Await():
                return self.awaited(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.NamedExpr():
                thing = self.look(node.value)
                self.bind(node.target, thing, node.value)
                return thing
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node)
            case ast.IfExp():
                self.used(node.test, truth=True)
                return either(self.look(node.body), self.look(node.orelse))
            case ast.BoolOp():
                return first([self.look(value) for value in node.values])
            case ast.UnaryOp():
                self.used(node.operand, truth=isinstance(node.op, ast.Not))
            case ast.Compare():
                for part in [node.left, *node.comparators]:
                    self.used(part, truth=True)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                things = [self.look(element) for element in elements]
                return Thing("list", of=things[0]) if len(things) == 1 else None
            case ast.Yield():
                self.yielded.append(self.look(node.value))
            case ast.YieldFrom():
                self.look(node.value)
                self.yielded.append(None)
            case ast.FormattedValue():
                self.used(node.value)
            case ast.Starred():
                self.look(node.value)
            case _:
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.look(part)
        return None

    def only_tested(self, name: str) -> bool:
        """Whether the function nowhere awaits, returns or hands on what it calls so."""
        if not self.function:
            return False
        parents = self.module.parents
        uses = [
            node
            for node in ast.walk(self.function.node)
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        ]
        return all(
            isinstance(parents.get(use), ast.Compare | ast.UnaryOp | ast.If | ast.Attribute)
            for use in uses
        )

    def named(self, name: str) -> Thing | None:
        for names in (self.scope.names, self.outer):
            if name in names:
                return names[name]
        return self.base.lookup(self.module, name)

    def attribute(self, node: ast.Attribute) -> Thing | None:
        name = node.attr
        value = self.look(node.value) if name in OF_COROUTINE else self.used(node.value)
        match value:
            case Thing(kind="outside"):
                return self.base.imported(f"{value.name}.{name}", self.module)
            case Thing(kind="module", source=Module() as module):
                found = self.base.lookup(module, name)
                return found or self.base.imported(f"{value.name}.{name}", self.module)
            case Thing(kind="object", source=Class()):
                return self.object_attribute(node, value)
            case Thing(kind="awaitable_attrs", of=Thing() as of):
                if value.name:
                    loaded = None if of.loaded is None else of.loaded | {name}
                    self.scope.names[value.name] = replace(of, loaded=loaded)
                return None
            case Thing(kind="class", source=Class() as source):
                found = self.base.member(source, name)
                return found if found and found.kind not in SYNC else None
            case Thing(kind="AsyncEngine") if name == "sync_engine":
                return Thing("Engine")
            case Thing(kind="AsyncSession") if name == "query":
                return Thing("method", of=value, name=name)
            case Thing(kind="AsyncSession", source=None) if name in (
                "sync_session",
                "info",
                "bind",
            ):
                return None
            case Thing():
                return Thing("method", of=value, name=name)
        return None

    def object_attribute(self, node: ast.Attribute, value: Thing) -> Thing | None:
        cls, name = value.source, node.attr
        assert isinstance(cls, Class)
        columns, relationships = self.base.mapping(cls)
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        reading = isinstance(node.ctx, ast.Load)
        if reading and owner in self.scope.expired and (name in columns or name in relationships):
            self.scope.expired.discard(owner)
            self.report(
                "expired-attribute",
                node,
                f"the commit before expired `{owner}`: reading `{name}` needs the database, "
                "and nothing awaits it",
                "async_sessionmaker(engine, expire_on_commit=False), or before it: "
                f"await {value.name or 'session'}.refresh({owner})",
            )
        if name not in relationships:
            if name == "awaitable_attrs":
                return Thing("awaitable_attrs", of=value, name=owner)
            return self.base.member(cls, name)
        definition = relationships[name]
        target, many = self.related(cls, definition)
        unloaded = value.loaded is not None and name not in value.loaded
        if reading and unloaded and lazy_by_default(definition):
            loader = "selectinload" if many or many is None else "joinedload"
            self.report(
                "lazy-load",
                node,
                f"nothing loaded `{name}` of this `{cls.node.name}`: "
                "async code cannot load it on access",
                f"select({cls.node.name}).options({loader}({cls.node.name}.{name}))",
            )
            if owner:
                loaded = value.loaded | {name}
                self.scope.names[owner] = replace(value, loaded=loaded)
        if target is None or many is None:
            return None
        # What leads back to the parent is in the session already.
        loaded = value.loaded
        if loaded is not None:
            _, back = self.base.mapping(target)
            loaded |= {n for n, d in back.items() if self.related(target, d)[0] is cls}
        related = Thing("object", source=target, name=value.name, loaded=loaded)
        return Thing("list", of=related) if many else related

    def related(self, cls: Class, definition: Definition) -> tuple[Class | None, bool | None]:
        """The class that a relationship leads to, and whether to many of it."""
        annotation = getattr(definition, "annotation", None)
        call = definition.value
        assert isinstance(call, ast.Call)
        text = ast.unparse(annotation) if annotation else ""
        names = re.findall(r"\w+", text)
        many: bool | None = None
        if annotation:
            many = any(n.lower() in ("list", "set", "sequence", "collection") for n in names)
        elif constant(keyword(call, "uselist")) is False:
            many = False
        if call.args:
            names += re.findall(r"\w+", ast.unparse(call.args[0]))
        for name in reversed(names):
            found = self.base.lookup(cls.module, name)
            if found and isinstance(found.source, Class):
                return found.source, many
            if len(self.base.classes.get(name, ())) == 1:
                return self.base.classes[name][0], many
        return None, many

    def subscript(self, node: ast.Subscript) -> Thing | None:
        head = last_name(node.value)
        if head in FORMS or head in MAKERS:
            return Thing("type", of=self.annotation(node))
        value = self.used(node.value)
        self.look(node.slice)
        match value:
            case Thing(kind="list") if not isinstance(node.slice, ast.Slice):
                return value.of
            case Thing(kind="list"):
                return value
            case Thing(kind="row") if constant(node.slice) == 0:
                return value.of
            case Thing(kind="type" | "class"):
                return value
        return None

    def comprehension(self, node: Comprehension) -> Thing | None:
        before = self.scope
        self.scope = before.copy()
        for part in node.generators:
            thing = self.used(part.iter)
            self.bind(part.target, thing.of if thing and thing.kind in ITERABLE else None, None)
            for test in part.ifs:
                self.used(test, truth=True)
        if isinstance(node, ast.DictComp):
            self.look(node.key)
            element = self.look(node.value)
        else:
            element = self.look(node.elt)
        self.scope = before
        listed = Thing("list", of=element)
        return replace(listed, node=node) if isinstance(node, ast.ListComp) else listed

    def awaited(self, node: ast.Await) -> Thing | None:
        self.awaiting = node.value
        thing = self.look(node.value)
        self.awaiting = None
        if node.value in self.plain_calls:
            self.report(
                "needless-await",
                node,
                f"`{ast.unparse(node.value.func)}()` is not a coroutine",  # type: ignore[attr-defined]
                self.rewritten(node, node.value),
            )
            return thing
        if thing and thing.kind in ("awaitable", "startable"):
            return thing.of
        return None

    def annotation(self, node: ast.expr | None) -> Thing | None:
        """What a value is that is annotated so."""
        match node:
            case ast.Constant(value=str() as text):
                try:
                    return self.annotation(ast.parse(text.strip(), mode="eval").body)
                except SyntaxError:
                    return None
            case ast.Name() | ast.Attribute():
                return self.base.instance(self.look(node))
            case ast.BinOp(op=ast.BitOr()):
                return either_type(self.annotation(node.left), self.annotation(node.right), node)
            case ast.Subscript():
                return self.generic(node)
        return None

    def generic(self, node: ast.Subscript) -> Thing | None:
        head = last_name(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        of = self.annotation(parts[0]) if parts else None
        match FORMS.get(head):
            case "annotated":
                calls = [part for part in parts[1:] if isinstance(part, ast.Call)]
                return first(self.look(c) for c in calls if last_name(c.func) == "Depends") or of
            case "itself":
                return of
            case "optional":
                things = [
                    self.annotation(p)
                    for p in parts
                    if constant(p) is not None or not isinstance(p, ast.Constant)
                ]
                return things[0] if len(things) == 1 else None
            case "awaitable":
                return Thing("awaitable", of=self.annotation(parts[-1]))
            case "callable":
                made = self.annotation(parts[-1])
                return Thing("maker", of=made) if made else None
            case str() as kind:
                return Thing(kind, of=of)
        if head in MAKERS:
            return Thing("maker", of=of) if of else None
        return self.base.instance(self.look(node.value))

    # Calls

    def call(self, node: ast.Call) -> Thing | None:
        awaiting, self.awaiting = self.awaiting is node, None
        callee = self.look(node.func)
        consumed = isinstance(node.func, ast.Name) and node.func.id in CONSUMERS and not callee
        arguments = [self.used(a) if consumed else self.look(a) for a in node.args]
        keywords = {k.arg: self.look(k.value) for k in node.keywords}
        if not awaiting:
            self.passed_on(node, callee, [*arguments, *keywords.values()])
        method = callee.name if callee and callee.kind == "method" else ""
        if last_name(node.func) == "query" and not awaiting:
            self.query(node, callee)
        match callee:
            case Thing(kind="method", of=Thing() as receiver):
                return self.method(node, receiver, method, arguments, keywords, awaiting)
            case Thing(kind="outside"):
                return self.outside_call(node, callee.name, arguments, keywords)
            case Thing(kind="type", of=Thing(kind="AsyncSession")):
                return replace(callee.of, expires=expires(node))
            case Thing(kind="type" | "maker"):
                return callee.of
            case Thing(kind="class"):
                return self.base.instance(callee)
            case Thing(kind="function", source=Function() as function):
                self.helper(node, function)
                return self.adopted(self.base.result(function), node)
            case Thing(kind="AsyncSession" | "Session"):
                return callee  # a scoped session
            case Thing(kind="object", source=Class() as source):
                called = self.base.member(source, "__call__")
                if called and isinstance(called.source, Function):
                    return self.adopted(self.base.result(called.source), node)
        return None

    def adopted(self, result: Thing | None, node: ast.Call) -> Thing | None:
        """What a call gives here: an object of the session that it is given, or of none known."""
        if result is None:
            return None
        given = [*node.args, *(k.value for k in node.keywords)]
        names = [a.id for a in given if isinstance(a, ast.Name)]
        sessions = [n for n in names if (t := self.named(n)) and t.kind == "AsyncSession"]

        def renamed(thing: Thing | None) -> Thing | None:
            if thing is None:
                return None
            thing = replace(thing, of=renamed(thing.of))
            owned = thing.kind == "object" and thing.name
            return replace(thing, name=sessions[0] if sessions else "") if owned else thing

        return replace(renamed(result) or result, node=node)

    def method(
        self,
        node: ast.Call,
        receiver: Thing,
        name: str,
        arguments: list[Thing | None],
        keywords: dict[str | None, Thing | None],
        awaiting: bool,
    ) -> Thing | None:
        if not isinstance(node.func, ast.Attribute):
            return None
        kind = receiver.kind
        if name in PLAIN.get(kind, ()):
            self.plain_calls.add(node)
        if kind in ASYNC:
            return self.async_method(node, receiver, name, arguments, awaiting)
        if kind in SYNC:
            if name not in HARMLESS:
                self.sync_session(node.func.value, receiver, awaited=awaiting)
            if name in ("begin", "begin_nested", "connection"):
                return None
            return Thing("sync result", of=None)
        if kind == "maker" and name == "begin":
            return Thing("context", of=receiver.of, name="commits")
        if kind in ("AsyncEngine", "Engine"):
            return self.engine_method(node, receiver, name)
        if kind == "statement":
            return self.statement_method(node, receiver, name)
        if kind in ("Result", "ScalarResult", "AsyncResult"):
            return self.result_method(node, receiver, name)
        if kind == "list" and name == "copy":
            return receiver
        if kind == "task group" and name in ("create_task", "start_soon"):
            self.start(node, [*node.args, *(k.value for k in node.keywords)])
        return None

    def async_method(
        self,
        node: ast.Call,
        session: Thing,
        name: str,
        arguments: list[Thing | None],
        awaiting: bool,
    ) -> Thing | None:
        assert isinstance(node.func, ast.Attribute)
        key = ast.unparse(node.func.value)
        statement = arguments[0] if arguments else None
        row = None
        if statement and statement.kind == "statement" and statement.of:
            row = replace(statement.of, name=key)

        def coroutine(of: Thing | None = None) -> Thing:
            return Thing("awaitable", of=of, name=f"{key}.{name}", node=node)

        match name:
            case "execute":
                return coroutine(Thing("Result", of=row))
            case "scalars" | "exec":
                return coroutine(Thing("ScalarResult", of=row))
            case "scalar":
                return coroutine(row)
            case "get" | "get_one":
                made = self.base.instance(statement) if statement else None
                if made and made.kind == "object" and statement and statement.kind == "class":
                    options = keyword(node, "options")
                    loaded = (
                        mentioned(options.elts)
                        if isinstance(options, ast.List | ast.Tuple)
                        else None
                    )
                    loaded = frozenset() if options is None else loaded
                    return coroutine(replace(made, loaded=loaded, name=key))
                return coroutine()
            case "merge":
                return coroutine(statement)
            case "stream" | "stream_scalars":
                stream = coroutine(Thing("AsyncResult", of=row))
                return (
                    replace(stream, kind="startable")
                    if session.kind == "AsyncConnection"
                    else stream
                )
            case "connection":
                return coroutine(Thing("AsyncConnection"))
            case "begin" | "begin_nested":
                return Thing("startable", of=session, name="commits" if name == "begin" else "")
            case "commit":
                if awaiting:
                    self.committed(replace(session, name=key))
            case "refresh":
                self.refreshed(node)
            case "delete":
                # Commit does not expire what it deletes.
                for argument in node.args:
                    self.added(argument, "")
            case "add" | "add_all":
                for argument in node.args:
                    self.added(argument, key)
        if name in COROUTINES[session.kind]:
            return coroutine()
        return None

    def engine_method(self, node: ast.Call, engine: Thing, name: str) -> Thing | None:
        if name in ("connect", "begin"):
            connection = Thing("AsyncConnection" if engine.kind == "AsyncEngine" else "Connection")
            if engine.kind == "AsyncEngine":
                return Thing("startable" if name == "connect" else "context", of=connection)
            return connection if name == "connect" else Thing("context", of=connection)
        if name == "execution_options":
            return engine
        if name == "dispose" and engine.kind == "AsyncEngine":
            return Thing("awaitable", name=f"{ast.unparse(node.func)}", node=node)
        return None

    def statement_method(self, node: ast.Call, statement: Thing, name: str) -> Thing | None:
        if name in ("alias", "cte", "exists", "lateral", "scalar_subquery", "subquery"):
            return None
        if name in ("add_columns", "with_only_columns", "from_statement", "union", "union_all"):
            return replace(statement, of=None)
        if name == "options" and statement.of:
            named, known = mentioned(node.args), statement.of.loaded
            loaded = None if named is None or known is None else known | named
            return replace(statement, of=replace(statement.of, loaded=loaded))
        return statement

    def result_method(self, node: ast.Call, result: Thing, name: str) -> Thing | None:
        of, many = result.of, ("all", "fetchall", "fetchmany", "partitions")
        if result.kind == "Result":
            of = Thing("row", of=result.of) if result.of else None
        if name == "scalars":
            return replace(result, kind="ScalarResult" if result.kind == "Result" else result.kind)
        if name in ("unique", "yield_per"):
            return result
        if name in ("mappings", "columns", "tuples"):
            return replace(result, of=None)
        found: Thing | None = None
        if name in many:
            found = Thing("list", of=of) if of else None
        elif name.startswith("scalar"):
            found = result.of
        elif name in ("first", "one", "one_or_none", "fetchone"):
            found = of
        if result.kind == "AsyncResult" and name in COROUTINES["AsyncResult"]:
            text = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            return Thing("awaitable", of=found, name=f"{text}.{name}", node=node)
        return found

    def outside_call(
        self,
        node: ast.Call,
        name: str,
        arguments: list[Thing | None],
        keywords: dict[str | None, Thing | None],
    ) -> Thing | None:
        if name in BLOCKING:
            self.block_loop(node, name)
        match name:
            case "sqlalchemy.async_sessionmaker" | "sqlalchemy.sessionmaker":
                given = keywords.get("class_")
                made = given.of if given and given.kind == "type" else None
                made = made or (self.base.instance(given) if given else None)
                if name == "sqlalchemy.async_sessionmaker" or (
                    made and made.kind == "AsyncSession"
                ):
                    return Thing("maker", of=Thing("AsyncSession", expires=expires(node)))
                if keyword(node, "class_") or keywords.get(None, ...) is not ...:
                    return Thing("maker", of=made) if made else None
                bound = first([*arguments[:1], keywords.get("bind")])
                if bound and bound.kind == "AsyncEngine":
                    return None
                return Thing("maker", of=Thing("Session"))
            case "sqlalchemy.async_scoped_session" | "sqlalchemy.scoped_session":
                maker = arguments[0] if arguments else None
                return maker.of if maker and maker.kind == "maker" else None
            case "sqlalchemy.create_async_engine" | "sqlalchemy.async_engine_from_config":
                return Thing("AsyncEngine")
            case "sqlalchemy.create_engine" | "sqlalchemy.engine_from_config":
                return Thing("Engine")
            case "sqlalchemy.select":
                entity = (
                    self.base.instance(arguments[0])
                    if len(arguments) == 1 and arguments[0]
                    else None
                )
                if not (entity and entity.kind == "object" and arguments[0].kind == "class"):
                    entity = None
                return Thing("statement", of=entity and replace(entity, loaded=frozenset()))
            case "typing.cast":
                return self.annotation(node.args[0]) if node.args else None
            case "fastapi.Depends" | "fastapi.Security" | "fastapi.params.Depends":
                return self.base.provided(arguments[0]) if arguments else None
            case "asyncio.gather" | "asyncio.wait" | "asyncio.as_completed":
                self.gathered(node)
            case "asyncio.create_task" | "asyncio.ensure_future":
                if self.loops and not isinstance(self.module.parents.get(node), ast.Await):
                    self.start(node, node.args)
            case "asyncio.TaskGroup" | "anyio.create_task_group":
                return Thing("context", of=Thing("task group"))
        return None

    # Rules

    def query(self, node: ast.Call, callee: Thing | None) -> None:
        if not isinstance(node.func, ast.Attribute):
            return
        receiver = callee.of if callee and callee.kind == "method" else None
        if receiver and receiver.kind == "AsyncSession":
            why = "AsyncSession has no `query`"
        elif not self.is_async:
            return
        elif receiver and receiver.kind == "Session":
            why = "Query works on a sync session and stops the event loop"
        elif receiver is None and callee is None and looks_like_session(node, self.module):
            why = "Query works on a sync session only"
        else:
            return
        self.report("sync-query", node, why, self.modern(node))

    def modern(self, query: ast.Call) -> str:
        """The chain from `.query(` on, written with `select`."""
        assert isinstance(query.func, ast.Attribute)
        session = ast.unparse(query.func.value)
        parents = self.module.parents
        chain: list[tuple[str, ast.Call]] = []
        node: ast.AST = query
        while isinstance(attribute := parents.get(node), ast.Attribute):
            call = parents.get(attribute)
            if not (isinstance(call, ast.Call) and call.func is attribute):
                break
            chain.append((attribute.attr, call))
            node = call
        return select_form(session, query, chain)

    def sync_session(
        self,
        node: ast.expr,
        thing: Thing,
        *,
        awaited: bool = False,
        item: ast.withitem | None = None,
    ) -> None:
        """Report a sync session where it is made, once, when it is at work in `async def`."""
        if not self.is_async:
            return
        key = ast.unparse(item.optional_vars) if item and item.optional_vars else ast.unparse(node)
        if key in self.spoken:
            return
        self.spoken.add(key)
        origin = self.origins.get(key, node)
        wanted = SYNC[thing.kind]
        if isinstance(origin, ast.arg):
            instead = f"{key}: {wanted}, from a dependency that yields an {wanted}"
        elif thing.kind == "Connection":
            name = key if key.isidentifier() else "connection"
            instead = f"async with async_engine.connect() as {name}:"
        else:
            name = key if key.isidentifier() else "session"
            instead = f"async with async_session() as {name}:  # an async_sessionmaker"
        if awaited:
            why = f"`{key}` is awaited, but said to be a sync {thing.kind}"
        else:
            why = f"`{key}` is a sync {thing.kind}: each query stops the event loop"
        self.report("sync-session", origin, why, instead, "warning" if awaited else "error")

    def passed_on(
        self, node: ast.Call, callee: Thing | None, things: Sequence[Thing | None]
    ) -> None:
        """A sync session given to a sync function of the code base works there."""
        if not self.is_async or not (callee and callee.kind == "function"):
            return
        function = callee.source
        if not isinstance(function, Function) or isinstance(function.node, AsyncDef):
            return
        if function.decorators - {"staticmethod", "classmethod"}:
            return
        for argument, thing in zip(
            [*node.args, *(k.value for k in node.keywords)], things, strict=True
        ):
            if thing and thing.kind in SYNC and isinstance(argument, ast.Name | ast.Attribute):
                self.sync_session(argument, thing)

    def block_loop(self, node: ast.Call, name: str) -> None:
        self.blocking.append(name)
        if not self.is_async:
            return
        arguments = ", ".join(ast.unparse(part) for part in [*node.args, *node.keywords])
        call = ast.unparse(node.func)
        library, _, short = name.rpartition(".")
        if name == "time.sleep":
            instead = f"await asyncio.sleep({arguments})"
        elif library in ("httpx", "requests"):
            short = short if short not in ("Client", "Session", "session", "stream") else "..."
            shown = arguments if short != "..." else ""
            instead = f"async with httpx.AsyncClient() as client: await client.{short}({shown})"
        else:
            instead = f"await asyncio.to_thread({', '.join(filter(None, (call, arguments)))})"
        self.report("blocking-call", node, f"`{call}` stops the event loop", instead)

    def helper(self, node: ast.Call, function: Function) -> None:
        """A call to a sync function of the same module that blocks."""
        same = function.module is self.module and isinstance(function.node, ast.FunctionDef)
        if not (self.is_async and same) or function.decorators - {"staticmethod", "classmethod"}:
            return
        walk = self.base.run(function)
        if not walk or not walk.blocking or walk.yielded:
            return
        parts = [ast.unparse(part) for part in [node.func, *node.args, *node.keywords]]
        self.report(
            "blocking-call",
            node,
            f"`{parts[0]}` calls `{walk.blocking[0]}`, which stops the event loop",
            f"await asyncio.to_thread({', '.join(parts)})",
        )

    def committed(self, session: Thing) -> None:
        expires = session.expires
        if expires is None:
            expires = self.base.sessions_expire if self.findings is not None else False
        if not expires:
            return
        for name, thing in self.scope.names.items():
            if thing and thing.kind == "object" and thing.name and thing.name == session.name:
                self.scope.expired.add(name)

    def refreshed(self, node: ast.Call) -> None:
        if not node.args or not isinstance(node.args[0], ast.Name):
            return
        name = node.args[0].id
        self.scope.expired.discard(name)
        thing = self.named(name)
        if thing and thing.kind == "object" and thing.loaded is not None:
            names = keyword(node, "attribute_names") or (
                node.args[1] if len(node.args) > 1 else None
            )
            if isinstance(names, ast.List | ast.Tuple | ast.Set):
                values = {constant(n) or last_name(n) for n in names.elts}
                loaded = thing.loaded | {v for v in values if isinstance(v, str)}
                self.scope.names[name] = replace(thing, loaded=loaded)
            elif names is not None:
                self.scope.names[name] = replace(thing, loaded=None)

    def added(self, node: ast.expr, session: str) -> None:
        for part in node.elts if isinstance(node, ast.List | ast.Tuple) else [node]:
            if isinstance(part, ast.Name):
                thing = self.scope.names.get(part.id)
                if thing and thing.kind == "object":
                    self.scope.names[part.id] = replace(thing, name=session)

    def sessions_in(self, node: ast.AST) -> set[str]:
        """The async sessions that running `node` uses, by the text of their name."""
        found = set()
        for part in own_nodes(ast.Expr(node)):
            if isinstance(part, ast.Name):
                thing = self.named(part.id)
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                owner = self.named(part.value.id)
                same = owner and owner.kind == "object" and isinstance(owner.source, Class)
                thing = self.base.member(owner.source, part.attr) if same else None
            else:
                continue
            if thing and thing.kind in ASYNC:
                found.add(ast.unparse(part))
            elif thing and thing.kind == "function" and isinstance(thing.source, Function):
                found |= self.borrowed(thing.source)
        return found

    def borrowed(self, function: Function) -> set[str]:
        """The sessions of the function around it that a nested function uses."""
        nodes = list(own_nodes(function.node))
        own = {n.arg for n in nodes if isinstance(n, ast.arg)}
        own |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        used = {n.id for n in nodes if isinstance(n, ast.Name)} - own
        sessions = {name: function.outer.get(name) for name in used}
        return {name for name, thing in sessions.items() if thing and thing.kind in ASYNC}

    def gathered(self, node: ast.Call) -> None:
        tasks: Counter[str] = Counter()
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                argument = argument.value
            if isinstance(argument, ast.Name):
                thing = self.named(argument.id)
                if thing and thing.kind == "list" and isinstance(thing.node, ast.expr):
                    argument = thing.node
            if isinstance(argument, Comprehension):
                bound = {
                    part.id
                    for generator in argument.generators
                    for part in ast.walk(generator.target)
                    if isinstance(part, ast.Name)
                }
                elements = [argument.elt] if not isinstance(argument, ast.DictComp) else []
                for element in elements:
                    for key in self.sessions_in(element):
                        tasks[key] += 0 if key.split(".")[0] in bound else 2
            elif isinstance(argument, ast.List | ast.Tuple):
                for element in argument.elts:
                    tasks.update(self.sessions_in(element))
            else:
                tasks.update(self.sessions_in(argument))
        for key, count in tasks.items():
            if count > 1:
                self.lost(node, key)

    def start(self, node: ast.Call, arguments: Sequence[ast.expr]) -> None:
        for key in set().union(*(self.sessions_in(argument) for argument in arguments)):
            inside = any(key.split(".")[0] in names for names in self.loops)
            self.started[key] += 2 if self.loops and not inside else 1
            if self.started[key] > 1 and not inside:
                self.lost(node, key)

    def lost(self, node: ast.Call, key: str) -> None:
        self.report(
            "lost-session",
            node,
            f"tasks share `{key}`: a session serves one task at a time",
            f"in each task: async with async_session() as {key.split('.')[-1]}:",
        )


ITERABLE = ("list", "Result", "ScalarResult", "AsyncResult", "generator")
FORMS = {
    "Annotated": "annotated",
    **dict.fromkeys(("ClassVar", "Final", "Mapped", "Required"), "itself"),
    **dict.fromkeys(("Optional", "Union"), "optional"),
    **dict.fromkeys(("Iterable", "List", "Sequence", "list", "Collection"), "list"),
    **dict.fromkeys(
        ("AsyncGenerator", "AsyncIterable", "AsyncIterator", "Generator", "Iterator"), "generator"
    ),
    **dict.fromkeys(
        (
            "AbstractAsyncContextManager",
            "AbstractContextManager",
            "AsyncContextManager",
            "ContextManager",
            "_AsyncGeneratorContextManager",
        ),
        "context",
    ),
    **dict.fromkeys(("Awaitable", "Coroutine"), "awaitable"),
    "Callable": "callable",
    "type": "type",
    "Type": "type",
}


def constant(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def either_type(left: Thing | None, right: Thing | None, node: ast.BinOp) -> Thing | None:
    """What `left | right` annotates: something known only when the other is None."""
    if left and isinstance(node.right, ast.Constant):
        return left
    if right and isinstance(node.left, ast.Constant):
        return right
    return left if left == right else None


def expires(call: ast.Call) -> bool | None:
    """Whether the sessions made by this call expire objects on commit."""
    option = keyword(call, "expire_on_commit")
    if option is None:
        return None if any(k.arg is None for k in call.keywords) else True
    value = constant(option)
    return value if isinstance(value, bool) else None


def lazy_by_default(definition: Definition) -> bool:
    """Whether a relationship loads on access: unless its definition says another way."""
    call = definition.value
    assert isinstance(call, ast.Call)
    options = {k.arg: k.value for k in call.keywords}
    nested = options.get("sa_relationship_kwargs")
    if isinstance(nested, ast.Dict):
        options |= {str(constant(k)): v for k, v in zip(nested.keys, nested.values, strict=True)}
    elif nested is not None:
        return False
    if None in options or "None" in options:
        return False
    lazy = options.get("lazy")
    return lazy is None or constant(lazy) in ("select", True)


def looks_like_session(node: ast.Call, module: Module) -> bool:
    """Whether `.query(` is SQLAlchemy's by its looks: a session's name, and classes in it."""
    assert isinstance(node.func, ast.Attribute)
    name = last_name(node.func.value).lower().lstrip("_")
    entity = node.args[0] if node.args else None
    if not (name in ("db", "sess") or name.endswith(("session", "_db"))):
        return False
    while isinstance(entity, ast.Attribute):
        entity = entity.value
    named = isinstance(entity, ast.Name) and entity.id[:1].isupper() and not entity.id.isupper()
    counted = isinstance(entity, ast.Call) and ast.unparse(entity.func).startswith("func.")
    return named or counted


SAME = words(
    "distinct filter_by group_by having join limit offset options order_by outerjoin where "
    "with_for_update execution_options select_from"
)
RENAMED = {"filter": "where", "with_entities": "with_only_columns"}


def select_form(session: str, query: ast.Call, chain: list[tuple[str, ast.Call]]) -> str:
    entities = ast.unparse(ast.Tuple([*query.args]))[1:-1].rstrip(",")
    only = query.args[0] if len(query.args) == 1 else None
    entity = isinstance(only, ast.Name) or last_name(only)[:1].isupper()
    statement, conditions = f"select({entities})", ""

    def given(call: ast.Call) -> str:
        return ", ".join(ast.unparse(part) for part in [*call.args, *call.keywords])

    for name, call in chain:
        if name in SAME or name in RENAMED:
            step = f".{RENAMED.get(name, name)}({given(call)})"
            statement += step
            conditions += step
            continue
        rows = f"await {session}.{'scalars' if entity else 'execute'}"
        unique = ".unique()" if "joinedload" in statement else ""
        match name:
            case "all" | "one" | "one_or_none":
                return f"({rows}({statement})){unique}.{name}()"
            case "first":
                return f"({rows}({statement}.limit(1))){unique}.first()"
            case "scalar":
                return f"await {session}.scalar({statement})"
            case "count":
                count = f"select(func.count()).select_from({statement}.subquery())"
                return f"await {session}.scalar({count})"
            case "get":
                return f"await {session}.get({entities}, {given(call)})"
            case "delete":
                return f"await {session}.execute(delete({entities}){conditions})"
            case "update":
                values = ast.unparse(call.args[0]) if call.args else "..."
                return f"await {session}.execute(update({entities}){conditions}.values({values}))"
            case "as_scalar" | "cte" | "exists" | "scalar_subquery" | "subquery":
                return f"{statement}.{name.replace('as_scalar', 'scalar_subquery')}({given(call)})"
            case _:
                break
    execution = "scalars" if entity else "execute"
    return f"{statement}, and when it is complete: await {session}.{execution}(...)"


def drivers(base: CodeBase) -> Iterator[tuple[Module, ast.AST, str, bool]]:
    """URLs with a sync driver where async engines are made, and whether they surely reach one."""
    nodes = [(module, node) for module in base.modules for node in ast.walk(module.tree)]
    given: list[ast.AST] = []
    settings: set[str] = set()
    engines = 0
    for module, node in nodes:
        if isinstance(node, ast.Call) and last_name(node.func) == "create_async_engine":
            engines += 1
            url = node.args[0] if node.args else keyword(node, "url")
            if isinstance(url, ast.Name):
                given += [n for n in module.names.get(url.id, ()) if isinstance(n, ast.expr)]
            elif isinstance(url, ast.Attribute):
                settings.add(url.attr)
            elif url:
                given.append(url)
    if not engines:
        return
    for _, node in nodes:
        if isinstance(node, ast.AnnAssign) and last_name(node.target) in settings and node.value:
            given.append(node.value)
    reached = {part for node in given for part in ast.walk(node)}
    rewritten = {
        match[1]
        for module in base.modules
        for line in module.lines
        if REWRITES.search(line)
        for match in ASYNC_URL.finditer(line)
    }
    for module, node in nodes:
        text = node.value if isinstance(node, ast.Constant) else None
        match = SYNC_URL.match(text) if isinstance(text, str) else None
        if match and not is_rewritten(node, module):
            sure, dialect = node in reached, match[1].split("+")[0]
            if sure or dialect not in rewritten:
                yield module, node, match[1], sure


def is_rewritten(node: ast.AST, module: Module) -> bool:
    """Whether a URL's text is a docstring, compared, rewritten, or meant for a sync engine."""
    parent = module.parents.get(node)
    while isinstance(parent, ast.JoinedStr | ast.Tuple | ast.List | ast.BinOp | ast.keyword):
        parent = module.parents.get(parent)
    if isinstance(parent, ast.Call):
        name = last_name(parent.func)
        return name in REWRITING
    return isinstance(parent, ast.Expr | ast.Compare | ast.Dict | ast.Raise)


def ignored(module: Module, lines: Iterable[int], rule: str) -> bool:
    for line in lines:
        match = IGNORE.search(module.lines[line - 1]) if line <= len(module.lines) else None
        if match and (match[1] is None or rule in re.split(r"[,\s]+", match[1])):
            return True
    return False


def audit(base: CodeBase) -> list[Finding]:
    findings: list[Finding] = []
    urls = defaultdict(list)
    for module, node, scheme, sure in drivers(base):
        urls[module].append((node, scheme, sure))
    for module in base.modules:
        found: dict[tuple[int, int, str], Finding] = {}
        walk = Walk(base, module, findings=found)
        try:
            walk.run()
        except RecursionError:
            print(f"{module.path}: not read to its end: nested too deeply", file=sys.stderr)
        for node, scheme, sure in urls[module]:
            dialect = scheme.split("+")[0]
            why = f"`{scheme}://` names no async driver"
            if scheme == "postgresql":
                why = "`postgresql://` means psycopg2 before SQLAlchemy 2.1: name the async driver"
            severity = "error" if sure else "warning"
            walk.report("sync-driver", node, why, f"{ASYNC_DRIVER[dialect]}...", severity)
        findings += found.values()
    return sorted(findings, key=lambda f: (f.file, f.line, f.column, f.rule))


def files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(set(folders) - SKIPPED)
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))


def parse(path: Path) -> Module | None:
    """The module, or None and a warning when the file is not Python that can be read."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Module(path, ast.parse(text), text.splitlines())
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError) as error:
        print(f"{path}: skipped, cannot be parsed: {error}", file=sys.stderr)
        return None


def rules(text: str) -> set[str]:
    chosen = {name.strip() for name in text.split(",") if name.strip()}
    if not chosen <= RULES.keys():
        unknown = ", ".join(sorted(chosen - RULES.keys()))
        raise argparse.ArgumentTypeError(f"no such rule: {unknown}; there are {', '.join(RULES)}")
    return chosen


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="rules:\n" + "\n".join(f"  {name:18} {what}" for name, what in RULES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file or folder")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    parser.add_argument("--select", type=rules, default=set(RULES), metavar="RULE,...")
    parser.add_argument("--ignore", type=rules, default=set(), metavar="RULE,...")
    options = parser.parse_args()
    for path in options.paths:
        if not path.exists():
            parser.error(f"no such file or folder: {path}")
    modules = [module for path in dict.fromkeys(files(options.paths)) if (module := parse(path))]
    if not modules:
        parser.error("no Python file to read")
    chosen = options.select - options.ignore
    findings = [finding for finding in audit(CodeBase(modules)) if finding.rule in chosen]
    if options.json:
        print(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(finding)
    counts = Counter(finding.rule for finding in findings)
    summary = ", ".join(f"{count} {rule}" for rule, count in counts.most_common())
    total = f"{counted(len(findings), 'finding')} in {counted(len(modules), 'file')}"
    print(f"{total}: {summary}" if findings else total, file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
