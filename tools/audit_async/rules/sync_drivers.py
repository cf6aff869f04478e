"""`sync-driver`: URLs with a sync driver in code that creates async engines."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from audit_async.findings import ModuleFindings
from audit_async.inference.codebase import CodeBase
from audit_async.inference.sqlalchemy_api import words
from audit_async.source.modules import Module
from audit_async.source.syntax import keyword_argument, last_name

SYNC_URL = re.compile(
    r"(postgresql(?:\+psycopg2)?|(?:mysql|mariadb)(?:\+(?:pymysql|mysqldb))?|sqlite(?:\+pysqlite)?)://"
)
ASYNC_URL = re.compile(r"(postgresql|mysql|mariadb|sqlite)\+(?:asyncpg|aio\w+|asyncmy|psycopg\b)")
ASYNC_SCHEME = {
    "postgresql": "postgresql+asyncpg://",
    "mysql": "mysql+aiomysql://",
    "mariadb": "mariadb+aiomysql://",
    "sqlite": "sqlite+aiosqlite://",
}
ASYNC_ENGINES = words("create_async_engine async_engine_from_config")
# A line that turns a URL into another one.
REWRITING_LINE = re.compile(r"replace\(|sub\(|drivername|[\"'] \+")
# Calls that compare or rewrite a URL, or connect to it synchronously.
HARMLESS_CALLS = words(
    "compile count create_engine find fullmatch index len lstrip match partition print "
    "removeprefix replace search split startswith sub"
)
# Expressions that a URL is a part of.
PARTS = ast.JoinedStr | ast.Tuple | ast.List | ast.BinOp | ast.keyword | ast.NamedExpr


@dataclass(frozen=True)
class SyncUrl:
    module: Module
    node: ast.Constant
    scheme: str
    reaches_engine: bool

    @property
    def dialect(self) -> str:
        return self.scheme.split("+")[0]


def report_sync_url(findings: ModuleFindings, url: SyncUrl) -> None:
    why = f"`{url.scheme}://` selects a sync driver"
    if url.scheme == "postgresql":
        why = "`postgresql://` selects psycopg2 before SQLAlchemy 2.1; name an async driver"
    severity = "error" if url.reaches_engine else "warning"
    instead = f"{ASYNC_SCHEME[url.dialect]}..."
    findings.add("sync-driver", url.node, why, instead, severity)


def sync_urls(base: CodeBase) -> Iterator[SyncUrl]:
    nodes = [(module, node) for module in base.modules for node in ast.walk(module.tree)]
    urls = list(engine_urls(nodes))
    if not urls:
        return
    in_engine_urls = {
        part
        for module, url in urls
        for node in origins(module, url, nodes)
        for part in ast.walk(node)
    }
    rewritten = rewritten_dialects(base)
    for module, node in nodes:
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        match = SYNC_URL.match(node.value)
        if match and not is_harmless(node, module) and not is_sync_alembic_environment(module):
            url = SyncUrl(module, node, match[1], node in in_engine_urls)
            if url.reaches_engine or url.dialect not in rewritten:
                yield url


def engine_urls(
    nodes: list[tuple[Module, ast.AST]],
) -> Iterator[tuple[Module, ast.expr | None]]:
    """The URL given to each async engine."""
    for module, node in nodes:
        if isinstance(node, ast.Call) and last_name(node.func) == "create_async_engine":
            yield module, node.args[0] if node.args else keyword_argument(node, "url")


def origins(
    module: Module, url: ast.expr | None, nodes: list[tuple[Module, ast.AST]]
) -> list[ast.expr]:
    """The expressions that `url` may come from: a global, or the default of a setting."""
    match url:
        case None:
            return []
        case ast.Name(id=name):
            return [node for node in module.names.get(name, ()) if isinstance(node, ast.expr)]
        case ast.Attribute(attr=setting):
            return [
                node.value
                for _, node in nodes
                if isinstance(node, ast.AnnAssign)
                and last_name(node.target) == setting
                and node.value
            ]
        case _:
            return [url]


def rewritten_dialects(base: CodeBase) -> set[str]:
    """The databases for which the code turns sync URLs into async ones."""
    return {
        match[1]
        for module in base.modules
        for line in module.lines
        if REWRITING_LINE.search(line)
        for match in ASYNC_URL.finditer(line)
    }


def is_sync_alembic_environment(module: Module) -> bool:
    """Whether the module runs migrations on an engine of its own, which is not async."""
    return "alembic.context" in module.names.get("context", ()) and not any(
        last_name(node) in ASYNC_ENGINES for node in ast.walk(module.tree)
    )


def is_harmless(node: ast.AST, module: Module) -> bool:
    """Whether a URL is documented, compared, rewritten, or given to a sync engine."""
    parent = module.parents.get(node)
    while isinstance(parent, PARTS):
        parent = module.parents.get(parent)
    if isinstance(parent, ast.Call):
        return last_name(parent.func) in HARMLESS_CALLS
    return isinstance(parent, ast.Expr | ast.Compare | ast.Dict | ast.Raise)
