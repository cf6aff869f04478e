"""The test of a service that names what it uses of uvicorn, undocumented, misses nothing."""

import ast
import asyncio
import runpy
from typing import Any

import pytest

from harness.rendering import ROOT

TEMPLATE = ROOT / "template"
# Expressions by the class of uvicorn that they are an object of.
OBJECTS = {
    "http_protocol": {
        "HttpToolsProtocol": {"self", "other", "closed", "super()"},
        "RequestResponseCycle": {"cycle", "self.cycle"},
        "FlowControl": {"self.flow"},
        "ServerState": {"self.server_state"},
    },
    "server": {"Server": {"self", "super()"}, "ServerState": {"self.server_state"}},
}
DOCUMENTED = {"__init__", "run"}


@pytest.mark.parametrize("module", OBJECTS)
def test_undocumented_names_are_in_the_test_of_the_service(module: str) -> None:
    test = runpy.run_path(str(TEMPLATE / "tests" / "core" / "test_uvicorn.py"))
    nodes = list(ast.walk(ast.parse((TEMPLATE / "app" / "core" / f"{module}.py").read_text())))
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    methods = {
        each.name
        for node in classes
        for each in node.body
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    async def missing(kind: Any, expressions: set[str]) -> set[str]:
        used = {
            node.attr
            for node in nodes
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in expressions
        }
        instance = test["instance_of"](kind)
        theirs = {name for name in used | methods if hasattr(instance, name)}
        return theirs - set(test["UNDOCUMENTED"][kind].split()) - DOCUMENTED

    kinds = {kind.__name__: kind for kind in test["UNDOCUMENTED"]}
    for name, expressions in OBJECTS[module].items():
        assert asyncio.run(missing(kinds[name], expressions)) == set()
