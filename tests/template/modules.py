"""The macro `module` on planted sources, in a Jinja environment configured as Copier's."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

ROOT = Path(__file__).parents[2]
QUESTIONS = yaml.safe_load((ROOT / "copier.yml").read_text())
STRUCTURES = ("flat", "layered", "by_feature")
RUFF = str(Path(sys.executable).parent / "ruff")


def environment(planted: dict[str, str] | None = None) -> SandboxedEnvironment:
    """The template's own files, and planted ones."""
    options = {**QUESTIONS["_envops"], "undefined": StrictUndefined}
    return SandboxedEnvironment(
        loader=ChoiceLoader([DictLoader(planted or {}), FileSystemLoader(ROOT)]),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        **options,
    )


def raw(text: str) -> str:
    return f"{{% raw %}}{text}{{% endraw %}}"


def join(
    path: str, sources: dict[str, str], *, structure: str = "flat", call: str = "", **context: Any
) -> str:
    """Write the module at `path`; sources have names such as `tasks.models`, in their order."""
    entities: dict[str, Any] = {}
    for name in sources:
        entity, layer = name.split(".")
        entities.setdefault(entity, {"of": "planted", "layers": []})["layers"].append(layer)
    jinja = environment(
        {
            f"includes/features/planted/{name.replace('.', '/')}.py.jinja": raw(text)
            for name, text in sources.items()
        }
        | {"call": raw(call)}
    )
    answers = {
        **{"structure": structure, "entities": entities, "features": {"planted": True}},
        "entity_features": dict.fromkeys(entities, "planted"),
    }
    layout = yaml.safe_load(jinja.get_template("includes/layout.jinja").render(answers))
    frame = (
        "{% from 'includes/module.jinja' import module with context %}\n"
        '"""Planted."""\n'
        "{% call module(path) %}\n{% include 'call' %}\n{% endcall %}\n"
    )
    answers |= {"layout": layout, "files": {}, "path": path, **context}
    return jinja.from_string(frame).render(answers)


def rewrite(text: str, path: str = "app/planted.py") -> str:
    """Write one module from the text of a `call` block."""
    return join(path, {}, call=text)


def imports_of(text: str) -> list[str]:
    """The lines between the docstring and the code."""
    return text.removeprefix('"""Planted."""\n\n').split("\n\n\n")[0].splitlines()


def problems(text: str, *rules: str) -> str:
    """What ruff says about a module of a service; always whether it is formatted."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "planted.py").write_text(text)
        own = 'lint.isort.known-first-party=["app", "migrations", "tests"]'
        options = ["--isolated", "--no-cache", "--quiet", "--target-version=py311", "--config", own]
        options += ["--config", "line-length=100", "planted.py"]
        commands = [[RUFF, "format", "--diff", *options]]
        if rules:
            commands.append([RUFF, "check", f"--select={','.join(rules)}", *options])
        outputs = [
            subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            for command in commands
        ]
    return "".join(output.stdout + output.stderr for output in outputs)
