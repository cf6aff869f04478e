"""Mistakes that every test of a service detects, whatever it tests."""

import re
import sys
from pathlib import Path

import pytest

from harness.rendering import render
from harness.services import Service

MISTAKES = '''
"""Mistakes."""

import mimetypes
import time
from importlib import invalidate_caches
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo


async def block():
    time.sleep(0.001)


async def compute():
    end = time.thread_time() + 1.2
    while time.thread_time() < end:
        pass


async def leave_open(database):
    session = database.write()
    await session.connection()
    return session


async def read_cached_files(app):
    ZoneInfo("Europe/Berlin")
    mimetypes.init()
    invalidate_caches()
    version("httpx2")
    import httpx2.websockets
    read_setting()


def read_setting():
    return Path(__file__).read_text()


async def hold(app):
    async with app.state.database.write() as session:
        await session.connection()
        await app.state.language_models.ask_all("Why?")
'''
TESTS = '''
"""Tests that pass apart from the mistake."""

import pytest

from app import mistakes
from app.factory import create_app
from tests.core import test_openapi
from tests.test_assistant import answering_models

kept = []


async def test_block():
    await mistakes.block()


async def test_compute():
    await mistakes.compute()


async def test_leave_open(database):
    kept.append(await mistakes.leave_open(database))


async def test_hold(app, database, answering_models):
    await mistakes.hold(app)


@pytest.mark.real_commits
async def test_hold_for_real(app, database, answering_models):
    await mistakes.hold(app)


def test_undocumented_error(settings):
    app = create_app(settings)
    app.get("/stock", responses={404: {"description": "No such stock"}})(mistakes.block)
    test_openapi.test_every_error_response_is_documented_as_a_problem(app)


@pytest.fixture(scope="session")
def may_block():
    return {"read_setting"}


async def test_no_mistake_with_files(app):
    await mistakes.read_cached_files(app)


async def test_no_mistake(app, database, answering_models):
    await app.state.language_models.ask_all("Why?")


@pytest.mark.real_commits
async def test_leave_open_for_real(database):
    kept.append(await mistakes.leave_open(database))
'''


@pytest.fixture(scope="module")
def output(template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of pytest for these tests in a service."""
    folder = tmp_path_factory.mktemp("guards") / "service"
    service = render(template, folder, examples=["assistant"])
    (service / "app" / "mistakes.py").write_text(MISTAKES)
    (service / "tests" / "test_mistakes.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/test_mistakes.py"]
    return Service(service, Path(sys.prefix)).fail(*command, "-rEf", "--tb=short")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("block", "Blocking call to time.sleep"),
        ("compute", "long_steps"),
        ("leave_open", "is still open after the test"),
        ("leave_open_for_real", "is still open after the test"),
        ("hold", "held a connection while it asked a model"),
        ("undocumented_error", "404 of GET /stock"),
        ("undocumented_error", "write `responses=problems(404, …)`"),
        ("hold_for_real", "held a connection while it asked a model"),
    ],
)
@pytest.mark.xdist_group("guards")
def test_mistake_fails_every_test_in_which_it_happens(output: str, name: str, reason: str) -> None:
    [report] = re.findall(
        rf"^_+ (?:ERROR at teardown of )?test_{name} _+$(.*?)^[_=]{{3}}", output, re.M | re.S
    )
    assert reason in report, output


@pytest.mark.xdist_group("guards")
def test_test_without_a_mistake_passes(output: str) -> None:
    assert not re.search(r"^(ERROR|FAILED) .*test_no_mistake", output, re.MULTILINE), output
