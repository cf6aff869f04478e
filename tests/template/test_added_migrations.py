"""Migrations that an update adds: the default of `newest_migration`, and the names of the files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.variants import QUESTIONS
from tests.template.modules import environment

INITIAL = "0001_initial.py"
LABELS = "202601020304_0123456789ab_labels.py"
BOOKS = "202601020305_ba9876543210_books.py"
ACCOUNTS = "0002_accounts.py"


def answers_of(tmp_path: Path, files: list[str], **others: Any) -> dict[str, Any]:
    """The answers about migrations of a service with these migrations."""
    folder = tmp_path / "my [service]" / "migrations" / "versions"
    folder.mkdir(parents=True)
    for name in ("__init__.py", *files):
        (folder / name).touch()
    answers: dict[str, Any] = {
        "_copier_conf": {"dst_path": folder.parents[1]},
        "adds": ["roles"],
        "outdated_tables": True,
        **others,
    }
    for name in ("migration_files", "newest_migration", "added_migrations"):
        text = environment().from_string(QUESTIONS[name]["default"]).render(answers)
        answers[name] = text if QUESTIONS[name]["type"] == "str" else yaml.safe_load(text)
    return answers


@pytest.mark.parametrize(
    ("files", "newest", "added"),
    [
        ([INITIAL], "0001", "0002_roles.py"),
        ([INITIAL, ACCOUNTS], "accounts", "0003_roles.py"),
        ([BOOKS, INITIAL, LABELS], "ba9876543210", "202601020306_roles.py"),
        # As 1.0.0 named them.
        ([INITIAL, "20260102_0123456789ab_labels.py"], "0123456789ab", "20260103_roles.py"),
        (["20260103_0123456789ab_labels.py", BOOKS], "0123456789ab", "20260104_roles.py"),
        (["20260102_0123456789ab_labels.py", BOOKS], "ba9876543210", "202601020306_roles.py"),
        # After an update that added a migration.
        ([INITIAL, LABELS, "202601020305_accounts.py"], "accounts", "202601020306_roles.py"),
        # The names do not determine it.
        ([], "", "0002_roles.py"),
        ([INITIAL, LABELS, "202601020304_ba9876543210_books.py"], "", "202601020305_roles.py"),
        ([INITIAL, LABELS, "books.py"], "", "202601020305_roles.py"),
        ([INITIAL, "0002_books.py"], "", "0003_roles.py"),
        ([INITIAL, LABELS, "202601020305_0003_books.py"], "", "202601020306_roles.py"),
        ([INITIAL, ACCOUNTS, LABELS], "", "202601020305_roles.py"),
    ],
)
def test_newest_migration_is_found_by_the_names_of_the_files(
    tmp_path: Path, files: list[str], newest: str, added: str
) -> None:
    answers = answers_of(tmp_path, files)
    assert answers["newest_migration"] == newest
    assert answers["added_migrations"] == {"roles": {"file": added, "follows": newest}}


def test_accounts_come_before_later_migrations_if_the_answers_have_a_schema_version(
    tmp_path: Path,
) -> None:
    answers = answers_of(tmp_path, [INITIAL, ACCOUNTS, LABELS], outdated_tables=False)
    assert answers["newest_migration"] == "0123456789ab"


def test_migrations_of_one_update_follow_each_other(tmp_path: Path) -> None:
    answers = answers_of(tmp_path, [INITIAL, LABELS], adds=["roles", "mail", "api_keys"])
    assert answers["added_migrations"] == {
        "roles": {"file": "202601020305_roles.py", "follows": "0123456789ab"},
        "mail": {"file": "202601020306_mail.py", "follows": "roles"},
        "api_keys": {"file": "202601020307_api_keys.py", "follows": "mail"},
    }


def test_update_that_adds_no_migration_reads_no_files(tmp_path: Path) -> None:
    answers = answers_of(tmp_path, [INITIAL, LABELS], adds=[])
    assert answers["migration_files"] == []
    assert answers["added_migrations"] == {}
