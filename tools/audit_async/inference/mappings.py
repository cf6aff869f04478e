"""Columns and relationships of mapped classes."""

import ast
import re

from audit_async.inference.classes import lineage
from audit_async.inference.codebase import CodeBase, memoized
from audit_async.inference.names import lookup
from audit_async.inference.values import Class
from audit_async.source.syntax import (
    Assignment,
    constant_value,
    keyword_argument,
    last_name,
)

COLLECTIONS = ("list", "set", "sequence", "collection")


class Mapping:
    """The columns of a class, and its relationships with their definitions."""

    def __init__(self) -> None:
        self.columns: set[str] = set()
        self.relationships: dict[str, Assignment] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.columns or name in self.relationships


@memoized
def inferred_mapping(base: CodeBase, cls: Class) -> Mapping:
    mapping = Mapping()
    for ancestor in lineage(base, cls) or ():
        own = own_mapping(ancestor)
        mapping.columns |= own.columns
        mapping.relationships = own.relationships | mapping.relationships
    return mapping


def mapping_of(base: CodeBase, cls: Class) -> Mapping:
    return inferred_mapping(base, cls) or Mapping()


def own_mapping(cls: Class) -> Mapping:
    mapping = Mapping()
    is_sqlmodel_table = any(
        keyword.arg == "table" and constant_value(keyword.value) is True
        for keyword in cls.node.keywords
    )
    for node in cls.node.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                if made_by(node).lower() == "relationship":
                    mapping.relationships[name] = node
                elif is_column(node, is_sqlmodel_table=is_sqlmodel_table):
                    mapping.columns.add(name)
    return mapping


def is_column(node: Assignment, *, is_sqlmodel_table: bool) -> bool:
    function = made_by(node)
    if function in ("mapped_column", "Column"):
        return True
    if not isinstance(node, ast.AnnAssign):
        return False
    annotation = node.annotation
    is_mapped = isinstance(annotation, ast.Subscript) and last_name(annotation.value) == "Mapped"
    return is_sqlmodel_table or (is_mapped and not function)


def made_by(node: Assignment) -> str:
    """The function whose call is assigned, as `mapped_column`; empty for other values."""
    return last_name(node.value.func) if isinstance(node.value, ast.Call) else ""


def relationship_call(definition: Assignment) -> ast.Call:
    assert isinstance(definition.value, ast.Call)
    return definition.value


def relationship_target(
    base: CodeBase, cls: Class, definition: Assignment
) -> tuple[Class | None, bool | None]:
    """The class that the relationship refers to, and whether it is a collection."""
    annotation = definition.annotation if isinstance(definition, ast.AnnAssign) else None
    call = relationship_call(definition)
    names = re.findall(r"\w+", ast.unparse(annotation)) if annotation else []
    is_collection: bool | None = None
    if annotation:
        is_collection = any(name.lower() in COLLECTIONS for name in names)
    elif constant_value(keyword_argument(call, "uselist")) is False:
        is_collection = False
    if call.args:
        names += re.findall(r"\w+", ast.unparse(call.args[0]))
    targets = (class_named(base, cls, name) for name in reversed(names))
    return next(filter(None, targets), None), is_collection


def class_named(base: CodeBase, cls: Class, name: str) -> Class | None:
    """A class that the module of `cls` knows, or the only one of its name."""
    found = lookup(base, cls.module, name)
    if found and isinstance(found.definition, Class):
        return found.definition
    classes = base.classes.get(name, ())
    return classes[0] if len(classes) == 1 else None


def loads_on_access(definition: Assignment) -> bool:
    """Whether `lazy` has its default; False if the options are built elsewhere."""
    call = relationship_call(definition)
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    nested = options.get("sa_relationship_kwargs")
    if isinstance(nested, ast.Dict):
        pairs = zip(nested.keys, nested.values, strict=True)
        options |= {str(constant_value(key)): value for key, value in pairs}
    elif nested is not None:
        return False
    # `**options` has no name, in a call as in a dict.
    if None in options or "None" in options:
        return False
    lazy = options.get("lazy")
    return lazy is None or constant_value(lazy) in ("select", True)
