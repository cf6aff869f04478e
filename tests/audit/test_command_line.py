"""How the audit is run: options, output and exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parent.parent.parent / "tools" / "audit_async"
UV = Path(sys.executable).with_name("uv")

BAD = """\
from sqlalchemy.ext.asyncio import AsyncSession

async def save(session: AsyncSession):
    session.commit()
    await session.add(1)
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, TOOL, *arguments], capture_output=True, text=True, check=False
    )


def test_findings_are_printed_with_their_position_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    result = run(path)
    assert result.returncode == 1
    assert result.stdout.splitlines()[:2] == [
        f"{path}:4:5: missing-await: `session.commit()` returns a coroutine that is never awaited",
        "    await session.commit()",
    ]
    assert result.stderr == "2 findings in 1 file: 1 missing-await, 1 needless-await\n"


def test_json_has_every_field(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    findings = json.loads(run("--json", tmp_path).stdout)
    assert [finding["rule"] for finding in findings] == ["missing-await", "needless-await"]
    assert list(findings[0]) == ["file", "line", "column", "rule", "severity", "why", "instead"]


def test_exit_status_without_findings_is_0(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("async def read(session): ...\n")
    result = run("--json", tmp_path)
    assert (result.returncode, json.loads(result.stdout)) == (0, [])


def test_rules_can_be_selected_and_ignored(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    assert "needless-await" not in run("--select", "missing-await", path).stdout
    assert "missing-await" not in run("--ignore", "missing-await", path).stdout
    assert run("--ignore", "missing-await,needless-await", path).returncode == 0


def test_file_that_cannot_be_parsed_is_named_and_skipped(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    result = run(tmp_path)
    assert result.returncode == 1
    assert f"{tmp_path / 'broken.py'}: skipped, cannot be parsed" in result.stderr
    assert f"{tmp_path / 'binary.py'}: skipped, cannot be parsed" in result.stderr


def test_folders_of_dependencies_and_builds_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("")
    for name in (".git", ".venv", "build", "node_modules"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bad.py").write_text(BAD)
    assert run(tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the following arguments are required: PATH"),
        (["missing.py"], "no such file or directory: missing.py"),
        (["--select", "lint", "."], "unknown rule: lint (choose from sync-query, "),
        (["{folder}"], "no Python files found"),
    ],
)
def test_invalid_usage_is_rejected(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = run(*(argument.format(folder=tmp_path) for argument in arguments))
    assert result.returncode == 2
    assert words in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([sys.executable, TOOL], id="python"),
        pytest.param([UV, "run", "--offline", "--quiet", TOOL / "__main__.py"], id="uv"),
    ],
)
def test_tool_runs_in_any_working_directory_and_leaves_it_unchanged(
    tmp_path: Path, command: list[str | Path]
) -> None:
    (tmp_path / "bad.py").write_text(BAD)
    # `uv run FOLDER` would install the project in the working directory.
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "service"\nversion = "1"\n')
    result = subprocess.run(
        [*command, "."], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1, result.stderr
    assert "bad.py:4:5: missing-await" in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"bad.py", "pyproject.toml"}
