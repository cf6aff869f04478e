"""The message after a copy: it fits a terminal, names files that exist, and its commands work."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import copier
import pytest

from harness.parts import nightly
from harness.servers import Server
from harness.services import Service
from harness.variants import MEASURED, SELECTION, SMALLEST, Variant, named
from harness.waiting import eventually, free_port, wait_until_served

NAME = "my-service"
DOCKER = "docker compose up -d --wait database"
IDENTITY = {
    f"GIT_{who}_{what}": "ada@example.org"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}
ALTERNATIVE = "# or, in another terminal: "


@pytest.fixture
def message(
    template: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """Copies to `NAME` in a folder, and returns the lines of the message."""

    def lines(folder: Path, variant: Variant, *exclude: str, name: str = NAME) -> list[str]:
        monkeypatch.chdir(folder)
        capfd.readouterr()
        copier.run_copy(str(template), name, data=variant.answers, defaults=True, exclude=exclude)
        written = capfd.readouterr().err
        return written[written.index("My Service is ready") :].rstrip().splitlines()

    return lines


@pytest.mark.parametrize(
    "shown", [*MEASURED, *(nightly(v) for v in SELECTION if v not in MEASURED)], ids=str
)
def test_message_fits_a_terminal_and_names_files_that_exist(
    message: Callable[..., list[str]],
    rendered: Callable[[Variant], Path],
    tmp_path: Path,
    shown: Variant,
) -> None:
    lines = message(tmp_path, shown, "*")
    assert len(lines) <= 20
    assert [line for line in lines if len(line) > 80] == []
    paths = [line.split()[-1] for line in lines[1 : lines.index("")]]
    assert paths[-1] == "README.md"
    assert ("docs/operating.md" in paths) is bool(shown.deploy)
    assert [path for path in paths if not (rendered(shown) / path).exists()] == []


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (".", "uv sync"),
        ("Ada's services/one", """cd 'Ada'"'"'s services/one' && uv sync"""),
    ],
)
def test_folder_is_quoted_for_the_shell(
    message: Callable[..., list[str]], tmp_path: Path, name: str, command: str
) -> None:
    lines = message(tmp_path, SMALLEST, "*", name=name)
    assert lines[lines.index("Next:") + 1] == f"  {command}"


@contextmanager
def terminal(
    commands: str, folder: Path, variables: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run commands in a shell until they end, or the block does, as if by Ctrl-C."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-euc", commands],
            cwd=folder,
            env=variables,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(60)


@pytest.mark.nightly
@pytest.mark.parametrize(
    "name",
    [
        "aiosqlite-flat",
        "asyncpg-by_feature-jwt-all-mail-keys-limits-jobs-telemetry-sync-devcontainer",
        "psycopg-layered-session-empty",
        "aiomysql-flat-oidc-measurements",
        "asyncmy-layered-jwt-dev_sqlite",
    ],
)
def test_commands_of_the_message_work_as_printed(
    message: Callable[..., list[str]], name: str
) -> None:
    # Not in pytest's folder, which is closed to the user that PostgreSQL runs as.
    with TemporaryDirectory(prefix="message-") as temporary:
        folder = Path(temporary)
        lines = message(folder, named(name))
        service = folder / NAME
        variables = Service(service, service / ".venv").variables
        variables["PORT"] = port = str(free_port())
        change_port_of_database(service / ".env")
        enter, *printed = [line[2:] for line in lines[lines.index("Next:") :] if line[:2] == "  "]
        subprocess.run(["bash", "-euc", enter], cwd=folder, env=variables, check=True)
        with ExitStack() as stack:
            if printed[0] == DOCKER:
                command = printed[1].removeprefix(ALTERNATIVE)
                log = folder / "database.log"
                process = stack.enter_context(terminal(command, service, variables, log))
                eventually(
                    lambda: "Ctrl-C" in log.read_text() or process.poll() is not None, seconds=120
                )
                assert process.poll() is None, log.read_text()
                Server.created += 1
                del printed[:2]
            commands = "\n".join([enter.partition(" && ")[0], *printed[:-1]])
            log = folder / "service.log"
            process = stack.enter_context(terminal(commands, folder, variables, log))
            [page] = [word for word in " ".join(lines).split() if word.startswith("http://")]
            url = page.removesuffix(".").replace("8000", port)
            wait_until_served(url, process, log)
            ready = url.replace("/docs", "/health/ready")  # not without the migrations
            wait_until_served(ready, process, log)
        commit = ["bash", "-euc", printed[-1]]
        subprocess.run(commit, cwd=service, env=variables | IDENTITY, check=True)
        listing = ["git", "-C", str(service), "ls-files"]
        committed = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
        assert {"uv.lock", ".copier-answers.yml"} <= set(committed.splitlines())


def change_port_of_database(file: Path) -> None:
    """Let several tests run at the same time, and beside a server of this machine."""
    file.write_text(re.sub("(?<=localhost:)(5432|3306)", str(free_port()), file.read_text()))
