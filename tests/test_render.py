"""The files of every variant, without running them."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.rendering import render
from harness.variants import EXAMPLES, FAMILIES, Variant

Rendered = Callable[[Variant], Path]

COMMON = (
    {
        ".copier-answers.yml",
        ".dockerignore",
        ".env",
        ".env.example",
        ".gitattributes",
        ".github/dependabot.yml",
        ".github/workflows/ci.yml",
        ".github/workflows/template.yml",
        ".gitignore",
        ".pre-commit-config.yaml",
        "Dockerfile",
        "README.md",
        "compose.yaml",
        "docs/database.md",
        "docs/troubleshooting.md",
        "docs/updating.md",
        "migrations/env.py",
        "migrations/script.py.mako",
        "migrations/versions/0001_initial.py",
        "pyproject.toml",
    }
    | {f"app/{name}.py" for name in ("__init__", "database", "factory", "main", "settings")}
    | {
        f"app/core/{name}.py"
        for name in (
            "__init__",
            "check_database",
            "database_errors",
            "database_url",
            "engines",
            "errors",
            "health",
            "logs",
            "middleware",
            "models",
            "pagination",
            "pool",
            "preconditions",
            "schemas",
            "server",
            "sessions",
            "slow_queries",
            "transactions",
        )
    }
    | {"tests/__init__.py", "tests/conftest.py", "tests/fixtures/__init__.py"}
    | {
        f"tests/core/{name}.py"
        for name in (
            "__init__",
            "event_loop",
            "fixtures",
            "server",
            "support",
            "test_check_database",
            "test_database",
            "test_errors",
            "test_health",
            "test_main",
            "test_middleware",
            "test_migrations",
            "test_models",
            "test_openapi",
            "test_pagination",
            "test_pool",
            "test_preconditions",
            "test_schemas",
            "test_server",
            "test_sessions",
            "test_settings",
            "test_slow_queries",
            "test_transactions",
            "things",
        )
    }
)
JWT = {
    "app/auth.py",
    "app/core/jobs.py",
    "app/core/login_attempts.py",
    "app/core/passwords.py",
    "app/core/purge.py",
    "app/core/tokens.py",
    "tests/core/test_jobs.py",
    "tests/core/test_login_attempts.py",
    "tests/core/test_passwords.py",
    "tests/core/test_purge.py",
    "tests/fixtures/clients.py",
    "tests/fixtures/passwords.py",
    "tests/fixtures/users.py",
    "tests/test_access_tokens.py",
    "tests/test_auth.py",
    "tests/test_users.py",
}
# The entities of each example, and its tests and other files.
ENTITIES = {
    "projects": ("projects", "tasks"),
    "measurements": ("stations", "sensors", "measurements"),
    "assistant": ("budgets", "prompts", "answers"),
}
WITH_EXAMPLE = {
    "projects": {
        "tests/fixtures/projects.py",
        "tests/test_projects.py",
        "tests/test_tasks.py",
    },
    "measurements": {"tests/fixtures/measurements.py", "tests/test_measurements.py"},
    "assistant": {
        "app/language_models.py",
        "tests/fake_models.py",
        "tests/fixtures/assistant.py",
        "tests/test_assistant.py",
    },
}
LAYERS = ("api", "crud", "models", "schemas", "services")
STRUCTURES = {
    "flat": {f"app/{layer}.py" for layer in LAYERS},
    "layered": {f"app/{layer}/__init__.py" for layer in LAYERS},
    "by_feature": {"app/api.py", "app/models.py"},
}
STRUCTURES_WITH_JWT = {
    "flat": set(),
    "layered": {
        "app/api/auth.py",
        "app/api/users.py",
        "app/crud/refresh_tokens.py",
        "app/crud/users.py",
        "app/models/refresh_token.py",
        "app/models/user.py",
        "app/schemas/token.py",
        "app/schemas/user.py",
        "app/services/auth.py",
        "app/services/users.py",
    },
    "by_feature": {
        f"app/{feature}/{part}.py"
        for feature in ("logins", "users")
        for part in ("__init__", "crud", "models", "routes", "schemas", "services")
    },
}
WITHOUT_SERVICES = {"stations"}


def files_of_entity(structure: str, entity: str) -> set[str]:
    """The files of one entity, one for each layer, unless the structure is flat."""
    layers = [layer for layer in LAYERS if layer != "services" or entity not in WITHOUT_SERVICES]
    if structure == "layered":
        singular = entity.removesuffix("s")
        names = {"models": singular, "schemas": singular}
        return {f"app/{layer}/{names.get(layer, entity)}.py" for layer in layers}
    if structure == "by_feature":
        parts = ["__init__", *(layer.replace("api", "routes") for layer in layers)]
        return {f"app/{entity}/{part}.py" for part in parts}
    return set()


def expected_files(variant: Variant) -> set[str]:
    files = COMMON | STRUCTURES[variant.structure]
    if variant.auth == "jwt":
        files |= JWT | STRUCTURES_WITH_JWT[variant.structure]
    for example in variant.examples:
        files |= WITH_EXAMPLE[example]
        for entity in ENTITIES[example]:
            files |= files_of_entity(variant.structure, entity)
    if variant.auth == "jwt" and "projects" in variant.examples:
        files |= {"tests/test_ownership.py"}
    if variant.sync_session:
        files |= {"app/sync_database.py", "tests/test_sync_database.py"}
    family = FAMILIES[variant.driver]
    for kind in {family, "sqlite"} if variant.sqlite_in_development else {family}:
        files |= {
            f"app/core/{kind}.py",
            f"tests/core/{kind}_server.py",
            f"tests/core/test_{kind}.py",
        }
    if family != "sqlite":
        files |= {"tests/core/database_name.py"}
    return files


def files_of(service: Path) -> dict[str, str]:
    return {
        path.relative_to(service).as_posix(): path.read_text()
        for path in service.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".ruff_cache" not in path.parts
    }


def run(service: Path, *command: str) -> None:
    result = subprocess.run(command, cwd=service, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_files_are_those_of_the_answers(rendered: Rendered, variant: Variant) -> None:
    assert set(files_of(rendered(variant))) == expected_files(variant)


def test_code_is_formatted_and_free_of_lint(rendered: Rendered, variant: Variant) -> None:
    ruff = str(Path(sys.executable).parent / "ruff")
    run(rendered(variant), ruff, "format", "--check", "--no-cache", ".")
    run(rendered(variant), ruff, "check", "--no-cache", ".")


def test_text_has_no_traces_of_jinja(rendered: Rendered, variant: Variant) -> None:
    for name, text in files_of(rendered(variant)).items():
        if name.endswith(".mako"):
            continue
        assert not re.search(r"{%|{#|(?<!\$){{", text), name
        assert text.strip(), f"{name} is empty"
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name
        assert not text.startswith("\n"), name
        assert "\n\n\n\n" not in text, name
        assert not re.search(r"[ \t]$", text, re.MULTILINE), name
        if not name.endswith((".py", ".md")):
            assert "\n\n\n" not in text, name


def test_yaml_and_toml_files_are_valid(rendered: Rendered, variant: Variant) -> None:
    for name, text in files_of(rendered(variant)).items():
        if name.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text), name
        elif name.endswith(".toml"):
            assert tomllib.loads(text), name


def test_python_compiles(rendered: Rendered, variant: Variant) -> None:
    for name, text in files_of(rendered(variant)).items():
        if name.endswith(".py"):
            compile(text, name, "exec", dont_inherit=True)


def test_second_render_differs_only_in_the_secret(
    template: Path, rendered: Rendered, variant: Variant, tmp_path: Path
) -> None:
    first = files_of(rendered(variant))
    second = files_of(render(template, tmp_path / "service", **variant.answers))
    secret = re.compile(r"(?<=^SECRET_KEY=development-)\w{64}$", re.MULTILINE)
    if variant.auth == "jwt":
        assert secret.findall(first[".env"]) != secret.findall(second[".env"])
    for files in (first, second):
        files[".env"] = secret.sub("", files[".env"])
    assert first == second


def test_drivers_of_one_database_differ_only_in_the_driver_files(
    rendered: Rendered,
) -> None:
    for one, other in (("asyncpg", "psycopg"), ("aiomysql", "asyncmy")):
        files = [
            files_of(rendered(Variant(driver, "flat", "jwt", EXAMPLES))) for driver in (one, other)
        ]
        for each in files:
            each[".env"] = ""
        differing = {name for name in files[0] if files[0][name] != files[1][name]}
        assert differing <= {
            ".copier-answers.yml",
            "README.md",
            f"app/core/{FAMILIES[one]}.py",
            "app/core/database_errors.py",
            "pyproject.toml",
            f"tests/core/{FAMILIES[one]}_server.py",
            f"tests/core/test_{FAMILIES[one]}.py",
        }


def test_models_schemas_and_endpoints_are_the_same_on_every_database(rendered: Rendered) -> None:
    services = [
        files_of(rendered(Variant(driver, "flat", "jwt", EXAMPLES)))
        for driver in ("aiosqlite", "asyncpg", "aiomysql")
    ]
    for name in (
        *("models", "schemas", "crud", "services", "api", "database", "factory", "main"),
        *("core/errors", "core/pagination", "core/schemas", "core/sessions"),
    ):
        assert len({files[f"app/{name}.py"] for files in services}) == 1, name
    assert len({files["migrations/versions/0001_initial.py"] for files in services}) == 1


UNUSUAL = {
    "longest": ("W" + "日" * 49, "日" * 200),
    "punctuation": ("O'Brien & Söhne: #1 {x} %s", "It's 100 % {{ neat }} <b>: yes # {% no %}"),
    "one letter": ("x", "."),
    "words that YAML does not read as strings": ("No", "null"),
    "keywords of Python": ("class", "import"),
    "emoji": ("Go 🚀", "日本語 🚀"),
}


@pytest.mark.parametrize("driver", ["aiosqlite", "asyncpg", "aiomysql"])
@pytest.mark.parametrize(("name", "description"), UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_names_render_valid_files(
    template: Path, tmp_path: Path, name: str, description: str, driver: str
) -> None:
    service = render(
        template,
        tmp_path / "service",
        examples=["projects", "assistant"],
        service_name=name,
        description=description,
        author_name="Søren O'Neil <x>",
        author_email="soren@example.org",
        driver=driver,
        auth="jwt",
    )
    ruff = str(Path(sys.executable).parent / "ruff")
    run(service, ruff, "format", "--check", "--no-cache", ".")
    run(service, ruff, "check", "--no-cache", ".")
    project = tomllib.loads((service / "pyproject.toml").read_text())["project"]
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", project["name"])
    assert project["description"] == description
    assert project["authors"] == [{"name": "Søren O'Neil <x>", "email": "soren@example.org"}]
    compose = yaml.safe_load((service / "compose.yaml").read_text())
    if driver != "aiosqlite":
        for value in compose["services"]["database"]["environment"].values():
            assert isinstance(value, str)
    run(
        service,
        sys.executable,
        "-c",
        "import os, sys; sys.path.insert(0, '.'); from app.main import app;"
        f" assert app.title == {name!r}; assert app.description == {description!r}",
    )
