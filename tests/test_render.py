"""The files of every variant, without running them."""

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from itertools import cycle, product
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values

from harness.commands import succeed
from harness.error_codes import error_codes
from harness.guides import broken_links, unclosed_code
from harness.rendering import ROOT, render
from harness.settings import defaults_of_settings
from harness.variants import DRIVERS, EVERY, EXAMPLES, FAMILIES, ONE_EACH, QUESTIONS, Variant

Rendered = Callable[[Variant], Path]

WITHOUT_ACCOUNTS = Variant(
    "aiosqlite", examples=EXAMPLES, rate_limits=True, idempotency=True, jobs="database"
)

# What every service has, whatever the answers.
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
        "AGENTS.md",
        "Dockerfile",
        "README.md",
        "compose.yaml",
        "docs/database.md",
        "docs/operating.md",
        "docs/recipes.md",
        "docs/runbook.md",
        "docs/troubleshooting.md",
        "docs/updating.md",
        "migrations/__init__.py",
        "migrations/compare.py",
        "docs/websockets.md",
        "migrations/env.py",
        "migrations/script.py.mako",
        "migrations/versions/0001_initial.py",
        "migrations/write.py",
        "pyproject.toml",
    }
    | {f"app/{name}.py" for name in ("__init__", "database", "factory", "main", "settings")}
    | {
        f"app/core/{name}.py"
        for name in (
            "__init__",
            "access_log",
            "check_database",
            "configuration",
            "connection_errors",
            "database_errors",
            "database_url",
            "direct_reads",
            "engines",
            "errors",
            "failed_connection",
            "health",
            "http_protocol",
            "listeners",
            "loaded_attributes",
            "loaded_collections",
            "log_setup",
            "logs",
            "middleware",
            "migrations",
            "models",
            "pagination",
            "plan_creation",
            "plans",
            "pool",
            "preconditions",
            "routing",
            "schemas",
            "server",
            "session_state",
            "sessions",
            "setting_types",
            "slow_queries",
            "statements",
            "transactions",
            "unreadable_values",
            "versions",
            "websockets",
        )
    }
    | {"tests/__init__.py", "tests/conftest.py", "tests/fixtures/__init__.py"}
    | {
        f"tests/core/{name}.py"
        for name in (
            "__init__",
            "both_ways",
            "committed_rows",
            "event_loop",
            "failing",
            "fixtures",
            "ignored_listeners",
            "live_server",
            "logged",
            "raw_server",
            "sample_rows",
            "server",
            "support",
            "test_access_log",
            "test_check_database",
            "test_configuration",
            "test_connection_errors",
            "test_database",
            "test_database_url",
            "test_direct_reads",
            "test_error_causes",
            "test_domain_errors",
            "test_errors",
            "test_examples",
            "test_health",
            "test_http_protocol",
            "test_live_server",
            "test_loaded_attributes",
            "test_log_setup",
            "test_logs",
            "test_main",
            "test_middleware",
            "test_migrations",
            "test_models",
            "test_openapi",
            "test_pagination",
            "test_pool",
            "test_preconditions",
            "test_routing",
            "test_schemas",
            "test_server",
            "test_sessions",
            "test_settings",
            "test_slow_clients",
            "test_slow_queries",
            "test_sqlalchemy",
            "test_statements",
            "test_transactions",
            "test_unreadable_values",
            "test_uvicorn",
            "test_versions",
            "test_websockets",
            "things",
        )
    }
)
LAYERS = ("api", "crud", "models", "schemas", "services")
STRUCTURES = {
    "flat": {f"app/{layer}.py" for layer in LAYERS},
    "layered": {f"app/{layer}/__init__.py" for layer in LAYERS},
    "by_feature": {"app/api.py", "app/models.py"},
}
FEATURES = ROOT / "includes" / "features"
# The folders of a feature whose files have the same path in every structure.
SAME_PATH = (".devcontainer", "app", "deploy", "docs", "migrations", "monitoring", "tests")
ONLY_ON_UPDATE = {
    f"adds_{name}"
    for name in (
        "accounts",
        "api_keys",
        "idempotency",
        "jobs",
        "mail",
        "rate_limits",
        "roles",
        "sensor_summaries",
    )
}


def features_of(variant: Variant) -> set[str]:
    """The features that this service has and others do not, not read from `copier.yml`.

    The files of all other features are in COMMON.
    """
    family = FAMILIES[variant.driver]
    families = {family, "sqlite"} if variant.sqlite_in_development else {family}
    found = {variant.driver, *families, *variant.examples}
    if family != "sqlite":
        found |= {"server"}
        if not variant.sqlite_in_development:
            found |= {"development_server"}
    if families != {"postgresql"}:
        found |= {"column_types"}
    if variant.sync_session:
        found |= {"sync", *(f"sync_{name}" for name in families)}
    if variant.auth != "none":
        found |= {"accounts", variant.auth, "authorization"}
    if variant.auth != "none" or variant.idempotency or variant.jobs == "database":
        found |= {"periodic_jobs"}
    if variant.auth in ("jwt", "session"):
        found |= {"users", "passwords"}
    if variant.auth == "oidc" or "assistant" in variant.examples:
        found |= {"http_client"}
    if variant.auth != "none" and "projects" in variant.examples:
        found |= {"ownership"}
    if variant.api_keys:
        found |= {"api_keys"}
    if variant.mail == "smtp":
        found |= {"mail"}
    if variant.auth == "session" or variant.api_keys:
        found |= {"last_uses"}
    if "last_uses" in found or (variant.mail == "smtp" and variant.jobs == "none"):
        found |= {"background"}
    if variant.auth in ("jwt", "session") or variant.rate_limits:
        found |= {"counters"}
    if variant.rate_limits:
        found |= {"rate_limits"}
    if variant.idempotency:
        found |= {"idempotency"}
    if variant.idempotency and "assistant" in variant.examples:
        found |= {"repeated_requests"}
    if variant.jobs == "database":
        found |= {"jobs", "job_states"}
        if "measurements" in variant.examples:
            found |= {"measurement_imports", "sensor_summaries"}
    if variant.telemetry == "opentelemetry":
        found |= {"telemetry"}
        if variant.jobs == "database":
            found |= {"job_metrics"}
    if variant.devcontainer:
        found |= {"devcontainer"}
    found |= {*variant.deploy}
    if variant.jobs == "database":
        found |= {f"{name}_worker" for name in {"systemd"} & {*variant.deploy}}
    if "kubernetes" in variant.deploy:
        found |= {"kubernetes_volume" if family == "sqlite" else "kubernetes_replicas"}
        if variant.jobs == "database" and family != "sqlite":
            found |= {"kubernetes_worker"}
    return found


def files_of_feature(feature: str, structure: str) -> Iterator[str]:
    """The files that the folder of a feature adds to a service, except for those of STRUCTURES."""
    for source in (FEATURES / feature).glob("*/**/*.jinja"):
        path = source.relative_to(FEATURES / feature).with_suffix("")
        if path.parts[0] in SAME_PATH:
            yield path.as_posix().replace("SERVICE", "my-service")
        elif structure == "by_feature":
            yield f"app/{path.as_posix()}"
        elif structure == "layered" and path.stem != "__init__":
            yield f"app/{path_in_layers(entity=path.parts[0], layer=path.stem)}.py"


def path_in_layers(entity: str, layer: str) -> str:
    names = {"models": entity.removesuffix("s"), "schemas": entity.removesuffix("s")}
    names |= QUESTIONS["entities"]["default"][entity].get("layered", {})
    return f"{'api' if layer == 'routes' else layer}/{names.get(layer, entity)}"


def expected_files(variant: Variant) -> set[str]:
    pipeline = {".gitlab-ci.yml"} if "gitlab" in variant.deploy else set[str]()
    return (COMMON | STRUCTURES[variant.structure] | pipeline).union(
        *(files_of_feature(feature, variant.structure) for feature in features_of(variant))
    )


def files_of(service: Path) -> dict[str, str]:
    return {
        path.relative_to(service).as_posix(): path.read_text()
        for path in service.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".ruff_cache" not in path.parts
    }


def test_each_feature_is_expected_in_a_service() -> None:
    expected = {feature for variant in EVERY for feature in features_of(variant)}
    for path in FEATURES.iterdir():
        files = set(files_of_feature(path.name, "flat"))
        assert files <= COMMON or path.name in expected | ONLY_ON_UPDATE, (
            f"add {path.name} to features_of, or its files to COMMON if every service has them"
        )


def test_files_are_those_of_the_answers(rendered: Rendered, variant: Variant) -> None:
    assert set(files_of(rendered(variant))) == expected_files(variant)


def test_code_is_formatted_and_free_of_lint(rendered: Rendered, variant: Variant) -> None:
    ruff = str(Path(sys.executable).parent / "ruff")
    service = rendered(variant)
    succeed(ruff, "format", "--check", "--no-cache", ".", cwd=service)
    succeed(ruff, "check", "--no-cache", ".", cwd=service)


def test_text_has_no_traces_of_jinja(rendered: Rendered, variant: Variant) -> None:
    for name, text in files_of(rendered(variant)).items():
        if name.endswith(".mako"):
            continue
        if name.startswith("monitoring/"):  # braces of Prometheus and Grafana
            text = re.sub(r"{{ ?\$?[\w. |]+ ?}}", "", text)
        assert not re.search(r"{%|{#|(?<!\$){{", text), name
        assert text.strip(), f"{name} is empty"
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name
        assert not text.startswith("\n"), name
        assert "\n\n\n\n" not in text, name
        assert not re.search(r"[ \t]$", text, re.MULTILINE), name
        if name.endswith(".md"):
            text = re.sub(r"^ *```.*?^ *```$", "code", text, flags=re.MULTILINE | re.DOTALL)
            assert "\n\n\n" not in text, name
        elif not name.endswith(".py"):
            assert "\n\n\n" not in text, name


def test_links_lead_to_documents_and_headings_and_inline_code_ends(
    rendered: Rendered, variant: Variant
) -> None:
    for document in [rendered(variant) / "README.md", *rendered(variant).glob("docs/*.md")]:
        assert broken_links(document) == [], document.name
        assert unclosed_code(document.read_text()) == [], document.name


def codes_in(document: Path) -> dict[str, int]:
    """The codes in a table of error responses, with their statuses."""
    rows = re.findall(r"^\| (\d{3}, `.*?) \|", document.read_text(), re.MULTILINE)
    return {
        code: int(status)
        for row in rows
        for status, codes in re.findall(r"(\d{3}), ([^\d]+)", row)
        for code in re.findall(r"`(\w+)`", codes.partition("and `")[0])
    }


def test_guides_explain_the_code_of_each_error_response(
    rendered: Rendered, variant: Variant
) -> None:
    service = rendered(variant)
    statuses = error_codes(service)
    if variant.driver == "aiosqlite":
        del statuses["timeout"]  # only when the client has gone
    codes = {code for code in statuses if not code.endswith("_not_found")}
    explained = codes_in(service / "docs/troubleshooting.md")
    of_servers = codes_in(service / "docs/runbook.md")
    assert codes <= explained.keys() | of_servers.keys()
    assert {**explained, **of_servers}.items() >= {(code, statuses[code]) for code in codes}
    assert of_servers == {code: status for code, status in statuses.items() if status >= 500}
    of_accounts = codes - error_codes(rendered(WITHOUT_ACCOUNTS)).keys()
    if variant.auth != "none":
        assert "unauthorized" in of_accounts
        guide = (service / "docs/authentication.md").read_text()
        assert {code for code in of_accounts if f"`{code}`" not in guide} == set()
    else:
        assert of_accounts == set()


def test_guide_names_each_setting_whose_default_is_not_in_env_example(
    rendered: Rendered, variant: Variant
) -> None:
    service = rendered(variant)
    defaults = defaults_of_settings(service)
    example = dotenv_values(service / ".env.example")
    assert example.keys() == defaults.keys()
    guide = (service / "docs/operating.md").read_text()
    section = re.search(r"^## Settings\n(.*?)^## ", guide, re.MULTILINE | re.DOTALL)
    assert section
    named = {*re.findall(r"`([A-Z_]+)`", section[1])}
    assert named == {name for name, value in defaults.items() if value != example[name]}
    for name in named - {"DOCS", "ENVIRONMENT", "JOBS_IN_PROCESS"}:
        assert defaults[name] is None
        assert f"`{name}`" in (service / "README.md").read_text()


def test_json_yaml_and_toml_files_are_valid(rendered: Rendered, variant: Variant) -> None:
    for name, text in files_of(rendered(variant)).items():
        if name.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text), name
        elif name.endswith(".toml"):
            assert tomllib.loads(text), name
        elif name.endswith(".json"):
            assert json.loads(text), name


def test_tests_and_files_named_in_the_code_exist(rendered: Rendered, variant: Variant) -> None:
    files = files_of(rendered(variant))
    tests = "".join(text for name, text in files.items() if name.startswith("tests/"))
    for name, text in files.items():
        if name.startswith("app/"):
            for test in re.findall(r"`(test_\w+)`", text):
                assert f"def {test}(" in tests, f"{name} names {test}"
            for path in re.findall(r"`((?:app|tests)/\w[\w/]*\.py)`", text):
                assert path in files, f"{name} names {path}"


def test_python_compiles(rendered: Rendered, variant: Variant) -> None:
    for name, text in files_of(rendered(variant)).items():
        if name.endswith(".py"):
            compile(text, name, "exec", dont_inherit=True)


def test_modules_use_the_http_client_that_services_have(
    rendered: Rendered, variant: Variant
) -> None:
    for name, text in files_of(rendered(variant)).items():
        if name.endswith(".py"):
            assert not re.search(r"\bhttpx\b", text), f"{name}: services have httpx2"


def test_second_render_differs_only_in_the_secret(
    template: Path, rendered: Rendered, twice: Variant, tmp_path: Path
) -> None:
    first = files_of(rendered(twice))
    second = files_of(render(template, tmp_path / "service", **twice.answers))
    secret = re.compile(r"(?<=^SECRET_KEY=development-)\w{64}$", re.MULTILINE)
    if twice.auth == "jwt":
        assert secret.findall(first[".env"]) != secret.findall(second[".env"])
    for files in (first, second):
        files[".env"] = secret.sub("", files[".env"])
    assert first == second


@pytest.mark.parametrize("family", dict.fromkeys(FAMILIES.values()))
def test_drivers_of_one_database_differ_only_in_the_driver_files(
    rendered: Rendered, family: str
) -> None:
    first, *others = [
        files_of(rendered(Variant(driver, "flat", "jwt", EXAMPLES)))
        for driver in DRIVERS
        if FAMILIES[driver] == family
    ]
    for other in others:
        differing = {name for name in first if first[name] != other[name]}
        assert differing <= {
            ".copier-answers.yml",
            ".env",  # a random secret
            "AGENTS.md",
            "README.md",
            "app/core/models.py",  # asyncpg's infinity
            f"app/core/{family}.py",
            "app/core/database_errors.py",
            "pyproject.toml",
            "tests/core/given_server.py",
            f"tests/core/{family}_server.py",
            f"tests/core/test_{family}.py",
        }


def test_models_schemas_and_endpoints_are_the_same_on_every_database(rendered: Rendered) -> None:
    services = [files_of(rendered(Variant(driver, "flat", "jwt", EXAMPLES))) for driver in ONE_EACH]
    for name in (
        *("models", "schemas", "crud", "services", "api", "main"),
        *("core/errors", "core/pagination", "core/schemas", "core/sessions"),
    ):
        assert len({files[f"app/{name}.py"] for files in services}) == 1, name
    # Only servers have replicas.
    for name in ("database", "factory"):
        with_server = [files for files in services if "app/core/replicas.py" in files]
        assert len(with_server) > 1
        assert len({files[f"app/{name}.py"] for files in with_server}) == 1, name
    assert len({files["migrations/versions/0001_initial.py"] for files in services}) == 1


UNUSUAL = {
    "longest": ("W" + "日" * 49, "日" * 200),
    "punctuation": ("O'Brien & Söhne: #1 {x} %s", "It's 100 % {{ neat }} <b>: yes # {% no %}"),
    "one letter": ("x", "."),
    "words that YAML does not read as strings": ("No", "null"),
    "keywords of Python": ("class", "import"),
    "emoji": ("Go 🚀", "日本語 🚀"),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Render each unusual name on one of the databases, and with `--all` on each."""
    if "unusual" in metafunc.fixturenames:
        each = zip(UNUSUAL, cycle(ONE_EACH))
        everything = metafunc.config.getoption("all")
        pairs = product(UNUSUAL, ONE_EACH) if everything else each
        metafunc.parametrize(("unusual", "driver"), list(pairs))


def test_unusual_names_render_valid_files(
    template: Path, tmp_path: Path, unusual: str, driver: str
) -> None:
    name, description = UNUSUAL[unusual]
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
        mail="smtp",
    )
    ruff = str(Path(sys.executable).parent / "ruff")
    succeed(ruff, "format", "--check", "--no-cache", ".", cwd=service)
    succeed(ruff, "check", "--no-cache", ".", cwd=service)
    project = tomllib.loads((service / "pyproject.toml").read_text())["project"]
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", project["name"])
    assert project["description"] == description
    assert project["authors"] == [{"name": "Søren O'Neil <x>", "email": "soren@example.org"}]
    compose = yaml.safe_load((service / "compose.yaml").read_text())
    if driver != "aiosqlite":
        for value in compose["services"]["database"]["environment"].values():
            assert isinstance(value, str)
    succeed(
        sys.executable,
        "-c",
        "import os, sys; sys.path.insert(0, '.'); from app.main import app;"
        f" assert app.title == {name!r}; assert app.description == {description!r}",
        cwd=service,
    )
