"""Presets of answers: each is as short as can be, and renders by the command in the README."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from harness.parts import nightly
from harness.rendering import COPIER, ROOT, export
from harness.variants import QUESTIONS

README = (ROOT / "README.md").read_text()
SECTION = README[README.index("### Presets") :].partition("\n## ")[0]
PRESETS = {path.stem: path.read_text() for path in sorted(ROOT.glob("presets/*.yml"))}


def copied(clone: Path, command: str) -> dict[str, object]:
    """Run a `copier copy` of the README in a clone, and return the answers of the service."""
    program = shlex.join(COPIER)
    script = f'uvx() {{ shift; {program} "$@" --defaults --quiet; }}\n{command}'
    subprocess.run(["bash", "-c", script], cwd=clone, check=True)
    written = clone.parent / "my-service" / ".copier-answers.yml"
    answers: dict[str, object] = yaml.safe_load(written.read_text())
    return answers


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return export(tmp_path / "clone")


@pytest.mark.parametrize("name", PRESETS)
def test_preset_says_what_the_service_is_and_gives_only_other_answers_than_the_defaults(
    name: str,
) -> None:
    comment, _, _ = PRESETS[name].partition("\n")
    answers = yaml.safe_load(PRESETS[name])
    for question, answer in answers.items():
        given = answer if isinstance(answer, list) else [answer]
        assert set(given) <= set(QUESTIONS[question].get("choices", {}).values() or (True, False))
        assert answer != QUESTIONS[question]["default"]
    what = comment.removeprefix("# ").removesuffix(".")
    assert f"| [{name}](presets/{name}.yml) | {what} |\n" in SECTION


def test_table_has_every_preset() -> None:
    assert re.findall(r"^\| \[(\w+)\]", SECTION, re.MULTILINE) == list(PRESETS)


@pytest.mark.parametrize(
    "name", [name if name == "measurements" else nightly(name) for name in PRESETS]
)
def test_preset_renders_by_the_command_in_the_readme(clone: Path, name: str) -> None:
    [command] = re.findall(r"^```shell\n(.+)\n```$", SECTION, re.MULTILINE)
    answers = copied(clone, command.replace("measurements.yml", f"{name}.yml"))
    assert answers.items() >= yaml.safe_load(PRESETS[name]).items()


@pytest.mark.nightly
def test_answers_can_be_given_one_by_one_without_a_clone(clone: Path) -> None:
    [command] = re.findall(r"`(uvx copier copy -d .+)`", SECTION)
    answers = copied(clone, command.replace("URL my-service", '"$PWD" ../my-service'))
    assert answers.items() >= yaml.safe_load(PRESETS["measurements"]).items()
