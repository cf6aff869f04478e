"""`lazy-load`: relationships that the query did not load."""

import ast

from audit_async.inference.reader import Reader


def report_lazy_load(
    reader: Reader, node: ast.Attribute, class_name: str, *, is_collection: bool | None
) -> None:
    loader = "joinedload" if is_collection is False else "selectinload"
    reader.report(
        "lazy-load",
        node,
        f"the query did not load `{class_name}.{node.attr}`; async code cannot load it on access",
        f"select({class_name}).options({loader}({class_name}.{node.attr}))",
    )
