"""The settings of a service, read from its code."""

import ast
from pathlib import Path


def defaults_of_settings(service: Path) -> dict[str, str | None]:
    """The default of each setting as `.env` writes it; None if there is none."""
    tree = ast.parse((service / "app/settings.py").read_text())
    [settings] = [
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings"
    ]
    return {
        line.target.id.upper(): written(line.value)
        for line in settings.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    }


def written(value: ast.expr | None) -> str | None:
    match value:
        case None | ast.Call(ast.Name("Field"), []):
            return None
        case ast.Call(_, [default]):  # of Field, or of SecretStr
            return written(default)
        case ast.Attribute(_, name):  # of an enum
            return name.lower()
    match ast.literal_eval(value):
        case None:
            return ""
        case bool() as flag:
            return str(flag).lower()
        case [*items]:
            return ",".join(items)
        case constant:
            return str(constant)
