"""The database servers that the tests of a service need."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.parts import nightly
from harness.servers import Server
from harness.services import UV, Service
from harness.variants import Variant

# A driver of each database by default, and all with `--all`.
SERVERS = [
    ("asyncpg", "postgresql"),
    ("aiomysql", "mysql"),
    nightly("psycopg", "postgresql"),
    nightly("asyncmy", "mysql"),
]


@pytest.mark.parametrize(("driver", "scheme"), SERVERS)
def test_database_without_the_test_suffix_is_refused(
    installed: Callable[[Variant], Service], driver: str, scheme: str
) -> None:
    service = installed(Variant(driver, "flat", "none"))
    service.variables["TEST_DATABASE_URL"] = f"{scheme}://user@127.0.0.1:1/production"
    output = service.uv_run_failing("pytest", "-q", "tests/core/test_health.py")
    assert "must end in _test" in output


@pytest.mark.parametrize(
    ("driver", "scheme"), [SERVERS[0], nightly("aiomysql", "mysql"), *SERVERS[2:]]
)
@pytest.mark.parametrize("options", [["-n", "2", "--cov"], nightly([])], ids=["parallel", "serial"])
def test_server_that_is_not_running_ends_the_run_in_a_sentence(
    installed: Callable[[Variant], Service], driver: str, scheme: str, options: Sequence[str]
) -> None:
    service = installed(Variant(driver, "flat", "none"))
    service.variables["TEST_DATABASE_URL"] = f"{scheme}://user@127.0.0.1:1/service_test"
    output = service.uv_run_failing("pytest", *options)
    assert "TEST_DATABASE_URL cannot be used: " in output
    assert "127.0.0.1" in output
    assert "Start its server or correct it" in output
    assert "ERROR at setup" not in output


@pytest.mark.parametrize(("driver", "scheme"), SERVERS[1:])
def test_server_that_does_not_answer_ends_the_run_in_a_sentence(
    installed: Callable[[Variant], Service], driver: str, scheme: str
) -> None:
    service = installed(Variant(driver, "flat", "none"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://user@127.0.0.1:{silent.getsockname()[1]}/service_test"
        service.variables["TEST_DATABASE_URL"] = url
        output = service.uv_run_failing("pytest")
    assert "TEST_DATABASE_URL cannot be used: no response within 5 s." in output


def test_wrong_password_ends_the_run_in_a_sentence(
    installed: Callable[[Variant], Service], servers: Callable[[str], Server]
) -> None:
    service = installed(Variant("aiomysql", "flat", "none"))
    address = servers("mysql").address.rpartition("@")[2]
    service.variables["TEST_DATABASE_URL"] = f"mysql://root:wrong@{address}/service_test"
    output = service.uv_run_failing("pytest")
    assert 'TEST_DATABASE_URL cannot be used: (1045, "Access denied' in output
    assert "wrong" not in output


def test_missing_server_is_an_error_that_says_how_to_install_it(
    installed: Callable[[Variant], Service], tmp_path: Path
) -> None:
    service = installed(Variant("aiomysql", "flat", "none"))
    support = service.folder / "tests" / "core" / "mysql_server.py"
    support.write_text(support.read_text().replace(":/usr/sbin:/usr/local/sbin", ""))
    service.variables["PATH"] = str(tmp_path)
    output = service.fail(UV, "run", "--no-sync", "pytest", "-q", "tests/core/test_health.py")
    assert "apt-get install mariadb-server" in output
    assert "skipped" not in output


@pytest.mark.parametrize(
    ("driver", "module"),
    [("aiomysql", "pymysql._auth"), ("asyncmy", "asyncmy.auth")],
)
def test_driver_can_log_in_to_mysql_8(
    installed: Callable[[Variant], Service], driver: str, module: str
) -> None:
    """MariaDB, which these tests use, does not need cryptography to log in."""
    service = installed(Variant(driver, "flat", "none"))
    program = f"from {module} import _have_cryptography as found; assert found"
    service.uv_run("python", "-c", program)


def test_private_postgresql_survives_another_run_of_pytest(
    installed: Callable[[Variant], Service],
) -> None:
    service = installed(Variant("asyncpg", "flat", "none"))
    (service.folder / "tests" / "test_two_runs.py").write_text(TWO_RUNS)
    output = service.uv_run("pytest", "-q", "tests/test_two_runs.py")
    assert "1 passed" in output


# Another run of pytest closes the parent folder of all runs to other users.
TWO_RUNS = """
from tests.core.server import new_database


async def test_database_is_created_after_the_folder_is_closed(tmp_path_factory, server):
    tmp_path_factory.getbasetemp().parent.chmod(0o700)
    for _ in range(3):
        async with new_database(server, "another"):
            pass
"""
