"""The template stays readable: few conditions in a file, none in paths, and short files."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.template.modules import ROOT

FOLDERS = ("includes", "template")
TAG = re.compile(r"{%[-+]?\s*(?:if|elif)\b")
MAX_TAGS = 5
# Tables and configuration that list one item after another.
MAX_TAGS_IN_LISTS = 10
LISTS = {
    "template/.env.example.jinja",
    "template/compose.yaml.jinja",
    "template/docs/database.md.jinja",
    "template/pyproject.toml.jinja",
}
# Texts that depend on all answers, files that are rendered once, macros, and modules of any fields.
UNLIMITED = re.compile(
    r"/(?:README|AGENTS)\.md\.jinja$|/migrations/|/(?:create|drop)_tables\.py\.jinja$|^includes/messages/"
    r"|^includes/(?:module|imports)\.jinja$|^includes/scaffold/"
)
MAX_LINES = 400

CONDITION_IN_PATH = re.compile(r"{%[-+]?\s*(?:if|elif)\s+(.*?)\s*[-+]?%}")
FRAME = re.compile(r"structure (?:==|!=) '\w+'")
# Other conditions in paths: the path, and why no folder of a feature can have the file.
CONDITIONS_IN_PATHS = {
    "template/{% if features.gitlab %}.gitlab-ci.yml{% endif %}.jinja": (
        "`fileglob` finds no name that begins with a dot"
    ),
}


def files(*patterns: str) -> Iterator[tuple[str, Path]]:
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path


def template_files() -> Iterator[tuple[str, Path]]:
    return files(*(f"{folder}/**/*" for folder in FOLDERS))


def test_files_have_few_conditions() -> None:
    too_many = []
    for name, path in template_files():
        limit = MAX_TAGS_IN_LISTS if name in LISTS else MAX_TAGS
        count = len(TAG.findall(path.read_text()))
        if count > limit and not UNLIMITED.search(name):
            too_many.append(f"{name}: {count} if and elif tags, at most {limit}")
    assert not too_many, "\n".join(too_many)


def test_files_are_short() -> None:
    too_long = []
    for name, path in [*template_files(), *files("tools/audit_async*", "tools/audit_async*/**/*")]:
        count = len(path.read_text().splitlines())
        if count > MAX_LINES:
            too_long.append(f"{name}: {count} lines, at most {MAX_LINES}")
    assert not too_long, "\n".join(too_long)


def test_paths_have_no_conditions_that_a_feature_could_express() -> None:
    conditional = {
        name
        for name, _ in template_files()
        for condition in CONDITION_IN_PATH.findall(name)
        if not FRAME.fullmatch(condition)
    }
    assert conditional == CONDITIONS_IN_PATHS.keys(), "move it to includes/features, or say why not"


def test_limits_name_files_that_exist() -> None:
    assert {name for name, _ in template_files()} >= LISTS
