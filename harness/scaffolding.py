"""Resources, and a template that has them: what tools/scaffold.py makes of its command line."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.rendering import ROOT

RUFF = str(Path(sys.executable).parent / "ruff")
LAYERS = ("models", "schemas", "crud", "services", "routes")
PARTIALS = ROOT / "includes" / "scaffold"


def class_of(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def field(
    name: str,
    kind: str,
    *modifiers: str,
    choices: tuple[str, ...] = (),
    target: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A field with modifiers such as "unique"."""
    switches = ("optional", "unique", "index", "filter", "sort")
    ids = {"ref": f"{name}_id", "refs": f"{name.removesuffix('s')}_ids"}.get(kind, "")
    return {
        **{"name": name, "type": kind, "ids": ids, "choices": list(choices), "target": target},
        **{switch: switch in modifiers for switch in switches},
    }


def target(name: str, *owner: str, plural: str = "", itself: bool = False) -> dict[str, Any]:
    """What a field refers to; `owner` is the path to its `owner_id`."""
    plural = plural or f"{name}s"
    return {
        **{"name": name, "plural": plural, "class": class_of(name), "table": plural},
        **{"models": f"app.{plural}.models", "crud": f"app.{plural}.crud"},
        **{"owner": list(owner), "itself": itself},
    }


def resource(name: str, *fields: dict[str, Any], plural: str = "") -> dict[str, Any]:
    """A resource with these fields."""
    plural = plural or f"{name}s"
    return {
        **{"name": name, "plural": plural, "class": class_of(name), "fields": list(fields)},
        **{"words": name.replace("_", " "), "plural_words": plural.replace("_", " ")},
        "article": "an" if name[0] in "aeiou" else "a",
    }


def add_room(template: Path, resource: dict[str, Any], *, accounts: bool) -> None:
    """Add a feature with the modules of a resource to a copy of the template."""
    plural = resource["plural"]
    refers = any(each["target"] for each in resource["fields"])
    layers = [layer for layer in LAYERS if layer != "services" or refers]
    left_out = set() if accounts else {"tests/authorization"}
    if not refers:
        left_out.add("services")
    targets = {layer: f"{plural}/{layer}" for layer in ("__init__", *LAYERS)} | {
        "fixtures": f"tests/fixtures/{plural}",
        "tests/test_resource": f"tests/test_{plural}",
    }
    room = template / "includes" / "features" / f"scaffold_{plural}"
    for partial in sorted(PARTIALS.rglob("*.py.jinja")):
        source = partial.relative_to(ROOT).as_posix()
        name = partial.relative_to(PARTIALS).as_posix().removesuffix(".py.jinja")
        if name not in left_out:
            file = room / f"{targets.get(name, name)}.py.jinja"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{{% set resource = {resource!r} %}}\n{{% include '{source}' %}}\n")
    modules = {"models": resource["name"], "schemas": resource["name"]}
    row = {"of": room.name, "layers": layers, "layered": modules}
    questions = template / "copier.yml"
    text = questions.read_text()
    for block, line in (
        (r'    job_states: {of: .*\n(?:    \w+: {"of.*\n)*', f"    {plural}: {json.dumps(row)}\n"),
        (r"    devcontainer: {{ .*\n(?:    scaffold_.*\n)*", f"    {room.name}: true\n"),
    ):
        [rows] = re.findall(block, text)
        text = text.replace(rows, rows + line)
    questions.write_text(text)


def tidy(service: Path) -> None:
    """Format what is rendered: how lines wrap depends on the lengths of names."""
    subprocess.run([RUFF, "format", "--quiet", "app", "tests"], cwd=service, check=True)
