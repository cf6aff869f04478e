"""Resources as tools/scaffold.py describes them to the partials of the template."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from scaffolding.names import article, class_name

RUFF = str(Path(sys.executable).parent / "ruff")


def field(
    name: str,
    kind: str,
    *modifiers: str,
    choices: tuple[str, ...] = (),
    target: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A field with modifiers such as "unique"; "later" if rows existed before it."""
    switches = ("optional", "unique", "index", "filter", "sort", "later")
    ids = {"ref": f"{name}_id", "refs": f"{name.removesuffix('s')}_ids"}.get(kind, "")
    return {
        **{"name": name, "type": kind, "ids": ids, "choices": list(choices), "target": target},
        **{switch: switch in modifiers for switch in switches},
    }


def target(name: str, *owner: str, plural: str = "", itself: bool = False) -> dict[str, Any]:
    """What a field refers to; `owner` is the path to its `owner_id`."""
    plural = plural or f"{name}s"
    return {
        **{"name": name, "plural": plural, "class": class_name(name), "table": plural},
        **{"models": f"app.{plural}.models", "crud": f"app.{plural}.crud"},
        **{"owner": list(owner), "itself": itself},
    }


def resource(name: str, *fields: dict[str, Any], plural: str = "") -> dict[str, Any]:
    """A resource with these fields."""
    plural = plural or f"{name}s"
    return {
        **{"name": name, "plural": plural, "class": class_name(name), "fields": list(fields)},
        **{"words": name.replace("_", " "), "plural_words": plural.replace("_", " ")},
        "article": article(name),
    }


def tidy(service: Path) -> None:
    """Format what is rendered: how lines wrap depends on the lengths of names."""
    subprocess.run([RUFF, "format", "--quiet", "app", "tests"], cwd=service, check=True)
