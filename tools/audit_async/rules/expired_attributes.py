"""`expired-attribute`: attributes that are read after the commit that expired them."""

import ast

from audit_async.inference.codebase import CodeBase, memoized
from audit_async.inference.reader import Reader
from audit_async.source.syntax import last_name

SESSION_MAKERS = ("async_sessionmaker", "sessionmaker", "AsyncSession")


def report_expired_attribute(reader: Reader, node: ast.Attribute, owner: str, session: str) -> None:
    reader.report(
        "expired-attribute",
        node,
        f"the commit expired `{owner}`; reading `{node.attr}` would query the database implicitly",
        "async_sessionmaker(engine, expire_on_commit=False), or before the read: "
        f"await {session or 'session'}.refresh({owner})",
    )


@memoized
def sessions_expire(base: CodeBase) -> bool:
    """Whether every async session that the code base makes expires its instances."""
    expires = []
    for module in base.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and last_name(node.func) in SESSION_MAKERS:
                value = base.reader(module).evaluate(node)
                session = value.of if value and value.kind == "factory" else value
                if session and session.kind == "AsyncSession":
                    expires.append(session.expires)
    return bool(expires) and all(expires)
