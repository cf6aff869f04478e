"""The questions of the template: defaults, validation, and the message after a copy."""

import subprocess
from pathlib import Path

import pytest
import yaml

from harness.rendering import COPIER, render
from harness.variants import DRIVERS, EXAMPLES, ONE_EACH, QUESTIONS


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


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("service_name=42", "must start with a letter"),
        ("service_name=éa", "must start with a letter"),
        ("service_name=", "must start with a letter"),
        ("service_name=a" + "b" * 50, "at most 50 characters; this one has 51"),
        ('service_name=a "b"', "must not contain double quotes"),
        ("service_name=a\\b", "must not contain double quotes, backslashes"),
        ("service_name=a\nb", "line breaks"),
        ("service_name=a ", "must not start or end with a space"),
        ("description= ", "one sentence is enough"),
        ("description=" + "a" * 201, "at most 200 characters; this one has 201"),
        ('description="a"', "must not contain double quotes"),
        ('author_name="a"', "must not contain double quotes"),
        ("author_email=nobody", "looks like name@example.org"),
        ("driver=oracle", f"'oracle' is not in {list(DRIVERS)}"),
        ("auth=ldap", "'ldap' is not in ['none', 'jwt']"),
        ("examples=[projects, blog]", f"'blog' is not in {list(EXAMPLES)}"),
        ("dev_database=mysql", "mysql' is not in ['same', 'sqlite']"),
        ("structure=deep", "'deep' is not in ['flat', 'layered', 'by_feature']"),
    ],
)
def test_invalid_answer_is_refused_with_a_message(
    template: Path, tmp_path: Path, answer: str, message: str
) -> None:
    result = copy(template, tmp_path / "service", "--data", answer)
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
    service = render(template, tmp_path / "service", driver="asyncpg")
    answers = yaml.safe_load((service / ".copier-answers.yml").read_text())
    assert set(answers) == {"_src_path", *ASKED} - ONLY_ON_UPDATE


@pytest.mark.parametrize("driver", ONE_EACH)
def test_message_lists_the_next_commands(template: Path, tmp_path: Path, driver: str) -> None:
    service = tmp_path / "service"
    result = copy(template, service, "--data", f"driver={driver}")
    assert result.returncode == 0, result.stderr
    commands = [line.split("  ")[1] for line in result.stderr.splitlines() if line.startswith("  ")]
    server = [] if driver == "aiosqlite" else ["docker compose up -d --wait database"]
    assert commands[-len(server) - 6 :] == [
        f"cd {service}",
        "uv sync",
        'git init && git add . && git commit -m "Start"',
        *server,
        "uv run alembic upgrade head",
        "uv run uvicorn app.main:app --reload",
        "uv run pytest",
    ]
