"""The questions of the template: defaults, validation, and the message after a copy."""

import re
import subprocess
import tomllib
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import copier
import pytest
import yaml

from harness.parts import nightly
from harness.rendering import COPIER, render
from harness.servers import Server
from harness.services import UV
from harness.terminal import Terminal
from harness.variants import DRIVERS, EXAMPLES, QUESTIONS


def copy(
    template: Path, service: Path, *options: str, settings: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COPIER, "copy", "--defaults", *options, str(template), str(service)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "COPIER_SETTINGS_PATH": str(settings or template / "none")},
    )


# Invalid answers, and what is wrong with them.
TYPED = {
    "service_name": {
        "42": "Start with a letter from A to Z.",
        "éa": "Start with a letter from A to Z.",
        "": "Start with a letter from A to Z.",
        "a" * 51: "At most 50 characters, not 51.",
        'a "b"': 'Remove ", \\ and line breaks.',
        "a\\b": 'Remove ", \\ and line breaks.',
        "a\nb": 'Remove ", \\ and line breaks.',
        "a ": "Remove spaces at start and end.",
    },
    "description": {
        " ": "Write one sentence.",
        "a" * 201: "At most 200 characters, not 201.",
        'a "b"': 'Remove ", \\ and line breaks.',
    },
    "author_name": {'a "b"': 'Remove ", \\ and line breaks.'},
    "author_email": {"nobody": "Write name@example.org or nothing."},
}
SELECTED = {
    "driver": {"oracle": f"'oracle' is not in {list(DRIVERS)}"},
    "auth": {"ldap": "'ldap' is not in ['none', 'jwt', 'session', 'oidc']"},
    "examples": {"[projects, blog]": f"'blog' is not in {list(EXAMPLES)}"},
    "dev_database": {"mysql": "mysql' is not in ['same', 'sqlite']"},
    "structure": {"deep": "'deep' is not in ['flat', 'layered', 'by_feature']"},
}


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        (name, answer, message)
        for name, answers in {**TYPED, **SELECTED}.items()
        for answer, message in answers.items()
    ],
)
def test_invalid_answer_is_refused_with_a_message(
    template: Path, tmp_path: Path, name: str, answer: str, message: str
) -> None:
    result = copy(template, tmp_path / "service", "--data", f"{name}={answer}")
    assert result.returncode != 0
    assert message in result.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "service").exists()


ASKED = {
    name: question
    for name, question in QUESTIONS.items()
    if not name.startswith("_") and False not in (question.get("when"), question.get("ask"))
}
ONLY_ON_UPDATE = {"newest_migration", "existing_rows"}


def test_every_question_has_a_default_and_says_what_to_choose_when_unsure() -> None:
    assert ASKED.keys() > {"service_name", "driver", *ONLY_ON_UPDATE}
    for name, question in ASKED.items():
        assert question["qmark"] == "?", name
        assert len(question["help"].splitlines()) >= 2, name
        assert "default" in question, name
        if "choices" in question:
            assert "Unsure" in question["help"], name
            assert all(": " in label for label in question["choices"]), name
        else:
            assert "validator" in question or question["type"] == "bool", name


def test_messages_that_are_shown_in_one_line_fit_in_80_columns() -> None:
    messages = [
        f"Validation error for question '{name}': {re.sub('{{.+?}}', '999', text.strip())}"
        for name, question in ASKED.items()
        if "choices" not in question or question.get("multiselect")
        for text in re.split("{%.+?%}", question.get("validator", ""))
        if text.strip()
    ]
    assert len(messages) > 5
    assert [message for message in messages if len(message) > 80] == []


CLEAR = "\x01\x0b"  # the keys to the start of the line, and to delete it
DOWN = "\x1b[B"


def test_questions_and_messages_are_shown_in_full(template: Path, tmp_path: Path) -> None:
    """In a terminal of 80 columns and 24 lines."""
    terminal = Terminal([*COPIER, "copy", str(template), "service"], tmp_path)
    for name, question in ASKED.items():
        if name in ONLY_ON_UPDATE:
            continue
        for text in (*question["help"].splitlines(), *question.get("choices", ())):
            terminal.wait_for(text)
        for answer, message in TYPED.get(name, {}).items():
            if "\n" not in answer:
                terminal.send(f"{CLEAR}{answer}\r")
                terminal.wait_for(f"Validation error for question '{name}': {message}")
        if name in TYPED:
            valid = "anna@example.org" if name == "author_email" else "Anna"
            terminal.send(CLEAR + valid)
        elif name in ("driver", "auth"):
            terminal.send(DOWN)  # answers with which every question is asked
        terminal.send("\r")
    terminal.end()


def test_author_comes_from_the_settings_of_copier(template: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yml"
    settings.write_text("defaults: {user_name: Ada Lovelace, user_email: ada@example.org}\n")
    assert copy(template, tmp_path / "service", settings=settings).returncode == 0
    answers = yaml.safe_load((tmp_path / "service" / ".copier-answers.yml").read_text())
    assert answers["author_name"] == "Ada Lovelace"
    assert answers["author_email"] == "ada@example.org"


def test_answers_file_has_the_answers_to_questions_and_no_others(
    template: Path, tmp_path: Path
) -> None:
    service = render(template, tmp_path / "service", driver="asyncpg", auth="jwt")
    answers = yaml.safe_load((service / ".copier-answers.yml").read_text())
    derived = {"package_name", "database_name", "schema_version", "checksum"}
    assert set(answers) == {"_src_path", *ASKED, *derived} - ONLY_ON_UPDATE


# Names of requirements, of users and databases of PostgreSQL and MySQL, and of devices of Windows.
NAMES = [
    ("FastAPI", "fastapi-service", "fastapi"),
    (
        "A service with as many characters as a name allows",
        "a-service-with-as-many-characters-as-a-name-allows-service",
        "a_service_with_as_many_character",
    ),
    nightly("Root", "root-service", "service_root"),
    nightly("PG x", "pg-x-service", "service_pg_x"),
    nightly("Stock Keeper", "stock-keeper-service", "stock_keeper"),
    nightly("My Service", "my-service", "my_service"),
    nightly("Postgres", "postgres-service", "service_postgres"),
    nightly("User", "user-service", "service_user"),
    nightly("Con", "con-service", "service_con"),
]


@pytest.mark.parametrize(("name", "package", "database"), NAMES)
def test_package_user_and_database_have_names_that_work(
    template: Path, tmp_path: Path, name: str, package: str, database: str
) -> None:
    service = tmp_path / "service"
    copier.run_copy(
        str(template),
        service,
        data={"service_name": name, "driver": "aiomysql"},
        defaults=True,
        quiet=True,
        exclude=["*", "!pyproject.toml", "!compose.yaml", "!.env"],
    )
    project = tomllib.loads((service / "pyproject.toml").read_text())["project"]
    assert project["name"] == package
    server = yaml.safe_load((service / "compose.yaml").read_text())["services"]["database"]
    assert server["environment"]["MYSQL_USER"] == database
    assert server["environment"]["MYSQL_DATABASE"] == database
    assert len(database) <= 32
    url = f"DATABASE_URL=mysql://{database}:development@localhost:3306/{database}\n"
    assert url in (service / ".env").read_text()


def test_no_requirement_has_the_name_of_a_service() -> None:
    required = {found.metadata["Name"].lower() for found in distributions()}
    assert "fastapi" in required
    assert not [package for package in required if package.endswith("service")]


@pytest.mark.nightly
def test_service_with_the_name_of_a_requirement_can_be_locked(
    template: Path, tmp_path: Path
) -> None:
    service = render(template, tmp_path / "service", service_name="FastAPI")
    subprocess.run([UV, "lock", "--quiet"], cwd=service, check=True)


@pytest.mark.nightly
@pytest.mark.parametrize("family", ["postgresql", "mysql"])
def test_servers_accept_the_names_of_users_and_databases(
    servers: Callable[[str], Server], family: str
) -> None:
    server, kind = servers(family), "ROLE" if family == "postgresql" else "USER"
    names = [values[-1] for values in (getattr(row, "values", row) for row in NAMES)]
    for name in names:
        server.execute(f"CREATE {kind} {name}")
        server.execute(f"DROP {kind} {name}")
        server.create_database(name)
        server.drop_database(name)
