"""The test of a service that names what direct reads use of SQLAlchemy, undocumented, misses nothing."""

import ast

from harness.rendering import ROOT

TEMPLATE = ROOT / "template"
MODULES = ("direct_reads", "loaded_collections", "plan_creation", "plans")


def test_private_names_are_in_the_test_of_the_service() -> None:
    texts = [(TEMPLATE / "app" / "core" / f"{name}.py").read_text() for name in MODULES]
    tree = ast.parse("\n".join(texts))
    private = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and ast.unparse(node.value) != "self"
    }
    test = ast.parse((TEMPLATE / "tests" / "core" / "test_sqlalchemy.py").read_text())
    [undocumented] = [
        ast.literal_eval(node.value)
        for node in test.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "UNDOCUMENTED"
    ]
    assert private - set(" ".join(undocumented.values()).split()) == set()
