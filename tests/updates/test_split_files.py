"""The update from 1.0.0 to 2.0.0 of a service whose owner edited files that were split."""

import ast
import shutil
from pathlib import Path

import pytest
from rewriting import definitions

from harness.projects import Project, without_additions
from harness.variants import Variant
from tests.updates.to_release_2 import VARIANTS, Versions, update


def mark_definitions(project: Project, path: str) -> set[str]:
    """Edit each top-level definition of a file: a comment in its last line, named for it."""
    file = project.folder / path
    lines = file.read_text().splitlines()
    marks = {}
    for name, node in definitions(ast.parse("\n".join(lines))).items():
        assert node.end_lineno is not None
        marks[node.end_lineno - 1] = f"# mine: {path}: {name}"
    for number, mark in marks.items():
        lines[number] += f"  {mark}"
    file.write_text("\n".join(lines) + "\n")
    return set(marks.values())


SPLIT = {
    "flat": ["app/models.py", "app/schemas.py", "app/sqlite.py", "app/postgresql.py"],
    "layered": ["app/models/base.py", "app/schemas/base.py", "app/models/job.py"],
    "by_feature": [
        "app/shared/models.py",
        "app/shared/schemas.py",
        "app/users/crud.py",
        "app/users/models.py",
        "app/users/routes.py",
        "app/users/schemas.py",
        "app/users/services.py",
    ],
}
EVERYWHERE = ["app/database.py", "app/security.py", "tests/conftest.py", "tests/server.py"]
# One definition of each half, and where it is now.
HALVES = {
    ("app/database.py", "Database"): "app/database.py",
    ("app/database.py", "ReadOnlySession"): "app/core/sessions.py",
    ("app/security.py", "hash_password"): "app/core/passwords.py",
    ("app/security.py", "create_access_token"): "app/core/tokens.py",
    ("tests/conftest.py", "client_of"): "tests/core/fixtures.py",
    ("tests/conftest.py", "project"): "tests/fixtures/projects.py",
    ("tests/conftest.py", "client"): "tests/fixtures/clients.py",
    ("app/models.py", "Base"): "app/core/models.py",
    ("app/models.py", "Job"): "app/core/jobs.py",
    ("app/models.py", "Task"): "app/models.py",
    ("app/schemas.py", "Input"): "app/core/schemas.py",
    ("app/schemas.py", "Line"): "app/core/schemas.py",
    ("app/schemas.py", "TaskRead"): "app/schemas.py",
    ("app/postgresql.py", "create_engine"): "app/core/postgresql.py",
    ("app/sqlite.py", "migrating"): "app/core/sqlite.py",
    ("app/models/base.py", "UTCDateTime"): "app/core/models.py",
    ("app/models/job.py", "Job"): "app/core/jobs.py",
    ("app/schemas/base.py", "Output"): "app/core/schemas.py",
    ("app/shared/models.py", "Base"): "app/core/models.py",
    ("app/shared/models.py", "Job"): "app/core/jobs.py",
    ("app/shared/schemas.py", "Moment"): "app/core/schemas.py",
    ("app/users/crud.py", "create_user"): "app/users/crud.py",
    ("app/users/crud.py", "find_refresh_token"): "app/logins/crud.py",
    ("app/users/models.py", "User"): "app/users/models.py",
    ("app/users/models.py", "RefreshToken"): "app/logins/models.py",
    ("app/users/models.py", "LoginAttempts"): "app/core/login_attempts.py",
    ("app/users/routes.py", "get_me"): "app/users/routes.py",
    ("app/users/routes.py", "log_in"): "app/logins/routes.py",
    ("app/users/schemas.py", "UserRead"): "app/users/schemas.py",
    ("app/users/schemas.py", "TokenRead"): "app/logins/schemas.py",
    ("app/users/services.py", "change_password"): "app/users/services.py",
    ("app/users/services.py", "log_in"): "app/logins/services.py",
}


@pytest.mark.nightly
@pytest.mark.parametrize("whole", VARIANTS[:5], ids=str)
def test_edit_of_each_definition_of_a_split_file_is_where_the_definition_is(
    versions: Versions, tmp_path: Path, whole: Variant
) -> None:
    project = Project(shutil.copytree(versions(whole)[0].folder, tmp_path / "project"))
    paths = [*EVERYWHERE, *SPLIT[whole.structure]]
    paths = [path for path in paths if (project.folder / path).exists()]
    marks = set().union(*(mark_definitions(project, path) for path in paths))
    project.commit()
    update(project)
    files = project.files()
    assert {mark for mark in marks if not any(mark in text for text in files.values())} == set()
    for (path, name), new in HALVES.items():
        if path in paths:
            assert f"# mine: {path}: {name}\n" in files[new]
    conflicts = project.conflicts()
    code = {path: text for path, text in files.items() if path.endswith(".py")}
    assert {path for path, text in code.items() if "<<<<<<< " in text} == conflicts
    # Nothing else was edited.
    files, fresh = without_additions(files), without_additions(versions(whole)[1].files())
    unmarked = {path for path, text in files.items() if "# mine: " not in text} - conflicts
    assert {path: files[path] for path in unmarked} == {
        path: text for path, text in fresh.items() if path in unmarked
    }


@pytest.mark.nightly
def test_edit_of_one_half_is_merged_and_the_other_is_as_new(
    versions: Versions, tmp_path: Path
) -> None:
    project = Project(shutil.copytree(versions(VARIANTS[4])[0].folder, tmp_path / "project"))
    project.replace(
        "app/security.py",
        "\n\nasync def hash_password(",
        '\n\ndef first(token: str) -> str:\n    return re.sub("x", "", token)\n\n\n'
        "async def hash_password(",
    )
    project.replace("app/security.py", "import secrets\n", "import re\nimport secrets\n")
    project.replace("app/security.py", '"aud": AUDIENCE,', '"aud": first(AUDIENCE),')
    project.commit()
    printed = update(project)
    fresh = without_additions(versions(VARIANTS[4])[1].files())
    tokens = project.files()["app/core/tokens.py"]
    assert '"aud": first(AUDIENCE),' in tokens
    assert "from app.core.passwords import first\n" in tokens
    # What the owner adds goes to the file that has most of the old one.
    passwords = project.files()["app/core/passwords.py"]
    assert "def first(" in passwords
    assert "import re\n" in passwords
    assert "import re\n" not in tokens
    assert "app/core/tokens.py has your changes of app/security.py." in printed
    assert project.conflicts() == set()
    assert not (project.folder / "app/security.py").exists()
    changed = {"app/core/tokens.py", "app/core/passwords.py"}
    files = without_additions(project.files())
    assert {path for path, text in files.items() if fresh.get(path) != text} == changed
