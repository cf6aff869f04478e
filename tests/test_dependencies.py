"""FastAPI runs `def` dependencies in threads, which costs more than most dependencies do."""

import ast
from collections.abc import Callable
from pathlib import Path

from harness.variants import EXAMPLES, Variant


def test_no_dependency_of_a_service_runs_in_a_thread(
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
