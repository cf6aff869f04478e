"""Rewrites `session.query()` chains as `select()` statements."""

import ast
from dataclasses import dataclass

from audit_async.inference.sqlalchemy_api import words
from audit_async.source.syntax import arguments_text, last_name

Chain = list[tuple[str, ast.Call]]

# Methods of Query, with their names on Select.
SELECT_METHODS = {
    name: name
    for name in words(
        "distinct filter_by group_by having join limit offset options order_by outerjoin where "
        "with_for_update execution_options select_from"
    )
} | {"filter": "where", "with_entities": "with_only_columns"}
SUBQUERY_METHODS = {name: name for name in ("cte", "exists", "scalar_subquery", "subquery")} | {
    "as_scalar": "scalar_subquery"
}


@dataclass
class Select:
    session: str
    entities: str
    selects_entity: bool
    methods: str = ""

    @property
    def statement(self) -> str:
        return f"select({self.entities}){self.methods}"

    @property
    def execute(self) -> str:
        return f"await {self.session}.{'scalars' if self.selects_entity else 'execute'}"

    @property
    def unique(self) -> str:
        """Required if a collection is loaded by a join."""
        return ".unique()" if "joinedload" in self.statement else ""


def select_statement(session: str, query: ast.Call, chain: Chain) -> str:
    entities = ast.unparse(ast.Tuple([*query.args]))[1:-1].rstrip(",")
    only = query.args[0] if len(query.args) == 1 else None
    selects_entity = isinstance(only, ast.Name) or last_name(only)[:1].isupper()
    select = Select(session, entities, selects_entity)
    for name, call in chain:
        if name in SELECT_METHODS:
            select.methods += f".{SELECT_METHODS[name]}({arguments_text(call)})"
        else:
            return executed(select, name, call) or incomplete(select)
    return incomplete(select)


def incomplete(select: Select) -> str:
    return f"{select.statement}, then: {select.execute}(...)"


def executed(select: Select, name: str, call: ast.Call) -> str | None:
    """The async equivalent of a chain that ends with this Query method."""
    statement, session = select.statement, select.session
    match name:
        case "all" | "one" | "one_or_none":
            return f"({select.execute}({statement})){select.unique}.{name}()"
        case "first":
            return f"({select.execute}({statement}.limit(1))){select.unique}.first()"
        case "scalar":
            return f"await {session}.scalar({statement})"
        case "count":
            count = f"select(func.count()).select_from({statement}.subquery())"
            return f"await {session}.scalar({count})"
        case "get":
            return f"await {session}.get({select.entities}, {arguments_text(call)})"
        case "delete":
            return f"await {session}.execute(delete({select.entities}){select.methods})"
        case "update":
            values = ast.unparse(call.args[0]) if call.args else "..."
            update = f"update({select.entities}){select.methods}.values({values})"
            return f"await {session}.execute({update})"
        case _ if name in SUBQUERY_METHODS:
            return f"{statement}.{SUBQUERY_METHODS[name]}({arguments_text(call)})"
        case _:
            return None
