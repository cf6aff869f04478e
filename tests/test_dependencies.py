"""FastAPI runs a dependency that is a plain `def` in a thread, which costs more than most do."""

import ast
from collections.abc import Callable
from pathlib import Path

from harness.variants import EXAMPLES, Variant


def test_dependencies_of_a_service_run_in_the_event_loop(
    rendered: Callable[[Variant], Path],
) -> None:
    service = rendered(Variant("aiosqlite", "flat", "jwt", EXAMPLES))
    trees = [ast.parse(path.read_text()) for path in (service / "app").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    named = {
        node.args[0].id
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Depends"
        and node.args
        and isinstance(node.args[0], ast.Name)
    }
    assert "get_session" in named
    plain = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    assert not named & plain
