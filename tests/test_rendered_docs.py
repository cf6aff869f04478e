"""The code blocks in the guides of a service run on its database, and its commands log in."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.commands import succeed
from harness.issuers import issuing
from harness.mailed_links import next_logged_token
from harness.parts import nightly
from harness.rendering import ROOT, render
from harness.running import alembic, database, serving
from harness.services import Service
from harness.variants import Variant

GUIDES = [
    "docs/database.md",
    "docs/recipes.md",
    "docs/authentication.md",
    "docs/calling-other-services.md",
    "docs/jobs.md",
    "docs/long-operations.md",
]
VARIANTS = [
    Variant("aiosqlite", "flat", "none", ("assistant",), idempotency=True),
    Variant(
        "asyncpg",
        "by_feature",
        "jwt",
        sync_session=True,
        api_keys=True,
        rate_limits=True,
        mail="smtp",
        idempotency=True,
        jobs="database",
    ),
    nightly(Variant("psycopg", "layered", "none", dev_database="sqlite")),
    nightly(Variant("aiomysql", "layered", "none", (), jobs="database")),
    nightly(Variant("asyncmy", "flat", "none", dev_database="sqlite", sync_session=True)),
    nightly(
        Variant("aiosqlite", "layered", "session", api_keys=True, rate_limits=True, mail="smtp")
    ),
]

# Runs the guides on every database that the tests of the service use.
PROGRAM = """
import asyncio, os, subprocess, sys, tempfile
from itertools import product
from pathlib import Path

sys.path.insert(0, ".")
from tests.core.server import new_database, running_server

GUIDE = (
    "import sys; from pathlib import Path; sys.path = ['.', *sys.path, sys.argv[1]];"
    "from harness.recipes import Recipes; guide = Recipes(Path(sys.argv[2]), Path('.'));"
    "guide.run(); print(len(guide.executed), 'blocks of', sys.argv[2])"
)

async def main(kinds):
    for kind, guide in product(kinds, sys.argv[2:]):
        with tempfile.TemporaryDirectory() as folder:
            async with (
                running_server(*kind, Path(folder), f"docs-{os.getpid()}") as server,
                new_database(server, "docs") as url,
            ):
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-W", "error", "-c", GUIDE, sys.argv[1], guide,
                    env=os.environ | {
                        "ENVIRONMENT": "test",
                        "ALLOWED_HOSTS": "test",
                        "DATABASE_URL": url,
                        "SECRET_KEY": "a secret that only the tests have",
                    },
                )
                if await process.wait():
                    sys.exit(1)
        for generated in Path("migrations", "versions").glob("2*.py"):
            generated.unlink()

try:
    from tests.core.server import KINDS
except ImportError:
    asyncio.run(main([()]))
else:
    asyncio.run(main([(kind,) for kind in KINDS]))
"""


@pytest.mark.parametrize("documented", VARIANTS, ids=str)
def test_code_in_the_guides_runs(
    rendered: Callable[[Variant], Path], documented: Variant, tmp_path: Path
) -> None:
    service = shutil.copytree(rendered(documented), tmp_path / "service")
    guides = [guide for guide in GUIDES if (service / guide).exists()]
    # `uv run` uses this environment, which has the dependencies of all variants.
    variables = os.environ | {"UV_NO_SYNC": "1", "UV_PROJECT_ENVIRONMENT": sys.prefix}
    command = (sys.executable, "-c", PROGRAM, str(ROOT), *guides)
    output = succeed(*command, cwd=service, env=variables)
    for guide in guides:
        text = (service / guide).read_text()
        blocks = text.count("```python\n") + text.count("```sh\n")
        executed = f"{blocks} blocks of {guide}"
        assert output.count(executed) == (2 if documented.sqlite_in_development else 1)


PASSWORD = "correct horse battery staple"
ACCOUNT = {"email": "ada@example.org", "name": "Ada", "password": PASSWORD}


@pytest.mark.nightly
@pytest.mark.parametrize(
    "documented",
    [
        Variant("aiosqlite", auth="jwt", examples=(), api_keys=True),
        Variant("aiosqlite", auth="jwt", examples=(), api_keys=True, mail="smtp"),
        Variant("aiosqlite", auth="session", examples=(), api_keys=True, mail="smtp"),
        Variant("aiosqlite", auth="oidc", examples=(), api_keys=True),
    ],
    ids=str,
)
def test_commands_in_the_guide_to_authentication_log_in(
    template: Path, tmp_path: Path, documented: Variant
) -> None:
    service = Service(
        render(template, tmp_path / "service", **documented.answers), Path(sys.prefix)
    )
    guide = (service.folder / "docs" / "authentication.md").read_text()
    commands = re.findall(r"^curl .+", guide, re.MULTILINE)
    commands.sort(key=order)
    # What the commands use of the responses.
    variables: dict[str, str] = {}
    with database(service) as url:
        if documented.auth == "oidc":
            with issuing(service) as issuer:
                variables["ACCESS_TOKEN"] = issuer.token("ada")
                run(service, url, commands, variables, **issuer.settings)
        else:
            run(
                service,
                url,
                commands,
                variables,
                secret_key="development-secret-of-the-tests-alone",
            )
    tokens = {"ACCESS_TOKEN", "REFRESH_TOKEN"} if documented.auth == "jwt" else set()
    assert tokens | {"KEY"} <= variables.keys()


def order(command: str) -> int:
    """A sort key: registrations first, and last what ends logins."""
    if "/auth/register" in command or "/auth/verify" in command:
        return 0
    ends_logins = ["/logout", "/password/forgot", "/password/reset"]
    return next((n for n, path in enumerate(ends_logins, 2) if path in command), 1)


def run(
    service: Service, url: str, commands: list[str], variables: dict[str, str], **settings: str
) -> None:
    """Run the commands in order, as a user who has registered."""
    alembic(service, url, "upgrade head")
    with serving(service, url, **settings) as running:
        if "secret_key" in settings and not any("/auth/register" in each for each in commands):
            running.call("POST", "/api/v1/auth/register", ACCOUNT, status=201)
        for command in commands:
            address = str(running.client.base_url)
            filled = command.replace("http://localhost:8000", address).replace("…", PASSWORD)
            result = subprocess.run(
                ["/bin/sh", "-c", f"{filled} --silent --show-error --fail-with-body"],
                cwd=service.folder,
                env={"PATH": os.environ["PATH"], **variables},
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, f"{filled}\n{result.stdout}{result.stderr}"
            if re.search("/auth/register|/password/forgot|/users/me -X PATCH", command):
                [email] = re.findall('"email": "(.+?)"', command)
                variables["TOKEN"] = next_logged_token(running, email, variables.get("TOKEN"))
            if result.stdout:
                response = json.loads(result.stdout)
                variables |= {
                    name.upper(): value
                    for name, value in response.items()
                    if isinstance(value, str)
                }
