"""What includes/scaffold renders: the example from its fields, and resources of every kind.

tests/scaffold has what tools/scaffold.py does with it.
"""

import ast
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scaffolding.service import IN_SERVICE
from scaffolding.template import add_room

from harness.parts import nightly
from harness.rendering import render
from harness.scaffolding import RUFF, field, resource, tidy
from harness.services import InEnvironment
from harness.variants import AUTHS, STRUCTURES, Variant, named
from tests.scaffolded import RESOURCES

PROJECT = resource(
    "project", field("name", "str", "unique", "sort"), field("description", "text", "optional")
)

TASKS = "Projects have tasks, which a resource from fields does not know."
SUMMARY = "Written by hand: a use case besides create, read, update and delete."
EXAMPLES = "The example has examples of texts of its own."
VALUES = "The tests of the example have values of their own, and need no body for references."
# Why definitions differ from those of the example, or are missing.
EXCEPTIONS = {
    "Project": TASKS,
    "ProjectDescription": EXAMPLES,
    "ProjectName": EXAMPLES,
    "ProjectReadWithTasks": TASKS,
    "ProjectSummary": SUMMARY,
    "create": VALUES,
    "delete_project": TASKS,
    "get_project": TASKS,
    "get_project_with_tasks": TASKS,
    "project": VALUES,
    "summarize_project": SUMMARY,
    "task": TASKS,
}
# The only function of this name that differs is the endpoint: it returns the tasks too.
ALSO_IN_CRUD = "get_project"
# The tests of the example that have another name, and what they promise is that of more tests.
RENAMED = {
    "test_delete_based_on_a_stale_version_is_rejected": (
        "test_change_based_on_another_version_is_rejected"
    ),
    "test_name_is_unique_per_user": "test_values_are_unique_per_user",
    "test_names_are_case_sensitive": "test_name_is_case_sensitive",
    "test_project_is_deleted_with_its_tasks": "test_project_is_deleted",
    "test_purge_of_an_account_deletes_what_belongs_to_it": (
        "test_purge_of_an_account_deletes_its_projects"
    ),
}
# The tests of what a resource from fields does not have.
WITHOUT_TEST = {
    "test_cursor_of_a_project_continues_in_the_list_of_its_tasks": TASKS,
    "test_only_a_response_without_other_rows_has_an_etag": TASKS,
    "test_project_is_read_with_its_tasks": TASKS,
    "test_project_with_any_number_of_tasks_takes_the_same_number_of_statements": TASKS,
    "test_summary_counts_tasks_by_status_and_overdue_tasks": SUMMARY,
    "test_summary_of_an_empty_project_is_zero": SUMMARY,
}
# Resources on each database, in each structure and with each kind of accounts.
SUITES = [
    "asyncpg-layered-jwt-keys-limits",
    "aiosqlite-flat-none",
    "aiomysql-by_feature-session",
    "psycopg-flat-oidc",
    "asyncmy-layered-none",
]

WithResources = Callable[..., Path]


@pytest.fixture
def with_resources(template: Path, tmp_path: Path) -> WithResources:
    """Renders a variant from a template with the features of resources."""

    def service(variant: Variant, *resources: dict[str, Any], **answers: Any) -> Path:
        extended = shutil.copytree(template, tmp_path / "template")
        for each in resources:
            add_room(extended, each, accounts=variant.auth != "none")
        folder = render(extended, tmp_path / "service", **variant.answers | answers)
        tidy(folder)
        return folder

    return service


def definitions(service: Path, files: list[str]) -> dict[str, str]:
    """The classes, functions and constants of projects in these files: path, name and text."""
    found = {}
    for name in files:
        text = (service / name).read_text()
        lines = text.splitlines()
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                defined = node.name
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                defined, first = node.targets[0].id, node.lineno
            else:
                continue
            if "project" in f"{Path(name).stem} {defined}".lower():
                found[f"{name}: {defined}"] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


@pytest.mark.parametrize(
    ("structure", "auth"),
    [
        (structure, auth) if (structure, auth) == ("layered", "jwt") else nightly(structure, auth)
        for structure in STRUCTURES
        for auth in AUTHS
    ],
)
def test_projects_from_their_fields_are_those_of_the_example(
    rendered: Callable[[Variant], Path], with_resources: WithResources, structure: str, auth: str
) -> None:
    variant = Variant("aiosqlite", structure, auth)
    example = rendered(variant)
    service = with_resources(variant, PROJECT, examples=[])
    files = {
        "flat": [f"app/{layer}.py" for layer in ("models", "schemas", "crud", "api")],
        "layered": [
            *("app/models/project.py", "app/schemas/project.py"),
            *("app/crud/projects.py", "app/api/projects.py"),
        ],
        "by_feature": [
            f"app/projects/{layer}.py" for layer in ("models", "schemas", "crud", "routes")
        ],
    }[structure]
    expected, found = definitions(example, files), definitions(service, files)
    assert found.keys() <= expected.keys()
    differ = {place.split(": ")[1] for place, text in expected.items() if found.get(place) != text}
    of_tasks = {"create_project_tasks", "list_project_tasks"}  # flat modules have them too
    assert differ - of_tasks == EXCEPTIONS.keys() & {
        place.split(": ")[1] for place in [*expected, *found]
    }
    crud = next(name for name in files if "crud" in name)
    assert found[f"{crud}: {ALSO_IN_CRUD}"] == expected[f"{crud}: {ALSO_IN_CRUD}"]


@pytest.mark.parametrize("auth", [nightly("none"), "jwt"])
def test_tests_of_projects_promise_what_those_of_the_example_do(
    rendered: Callable[[Variant], Path], with_resources: WithResources, auth: str
) -> None:
    variant = Variant("aiosqlite", "layered", auth)
    example, service = rendered(variant), with_resources(variant, PROJECT, examples=[])

    def tests(folder: Path, *names: str) -> set[str]:
        paths = [folder / "tests" / f"{name}.py" for name in names]
        nodes = [
            node for path in paths if path.exists() for node in ast.parse(path.read_text()).body
        ]
        return {node.name for node in nodes if isinstance(node, ast.AsyncFunctionDef)} - {"create"}

    expected = tests(example, "test_projects", "test_ownership")
    assert WITHOUT_TEST.keys() <= expected
    promised = {RENAMED.get(name, name) for name in expected - WITHOUT_TEST.keys()}
    assert promised <= tests(service, "test_projects")


def test_resources_are_free_of_lint(with_resources: WithResources) -> None:
    service = with_resources(named(SUITES[0]), *RESOURCES.values())
    command = [RUFF, "check", "--no-cache", "--quiet", "app", "tests"]
    result = subprocess.run(command, cwd=service, capture_output=True, text=True, check=False)
    assert result.stdout == ""
    source = (service / "app" / "models" / "testimonial.py").read_text()
    assert "String" not in source, "a module imports and contains only what its fields need"
    assert not (service / "app" / "services" / "testimonials.py").exists()


@pytest.mark.nightly
def test_texts_have_examples_of_their_own_and_filters_are_described(
    with_resources: WithResources,
) -> None:
    service = with_resources(Variant("aiosqlite", "by_feature", "jwt"), *RESOURCES.values())
    for name in RESOURCES:
        tree = ast.parse((service / "app" / name / "schemas.py").read_text())
        for node in tree.body:
            if isinstance(node, ast.Assign):
                alias = ast.unparse(node)
                texts = ("SingleLineStr", "Text,", "dict[", "Decimal", "int,", "float,", "bool,")
                assert ("examples=[" in alias) == any(each in alias for each in texts), alias
            elif isinstance(node, ast.ClassDef) and node.name.endswith("PageParams"):
                for field in node.body[1:]:
                    assert f"description='Only {name.replace('_', ' ')} " in ast.unparse(field)


@pytest.mark.nightly
@pytest.mark.xdist_group("mypy")  # one worker fills the cache
@pytest.mark.parametrize("name", SUITES)
def test_suite_of_a_service_with_resources_passes(
    with_resources: WithResources, in_environment: InEnvironment, name: str, worker_id: str
) -> None:
    service = in_environment(with_resources(named(name), *RESOURCES.values()))
    migration = {
        "message": "Add resources",
        "extends": False,
        "name": "",
        "plural": "",
        "unchanged": "",
    }
    output = service.uv_run("python", "-P", str(IN_SERVICE), "migrate", json.dumps(migration))
    assert "revisions" in json.loads(output.splitlines()[-1]), output
    service.uv_run("mypy")
    options = ["-n", "2"] * (worker_id == "master")
    output = service.uv_run("pytest", "-q", "--cov", "--cov-branch", *options)
    assert "Total coverage: 100.00%" in output
