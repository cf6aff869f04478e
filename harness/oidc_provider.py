"""An OpenID provider, the npm package oidc-provider, and the files of Swagger UI."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.npm import installed
from harness.rendering import ROOT
from harness.waiting import free_port, wait_until_served

VERSION = "9.13.3"
PACKAGES = (f"oidc-provider@{VERSION}", "swagger-ui-dist@5.35.0")
SCRIPT = ROOT / "harness" / "entrypoints" / "oidc_provider.mjs"


def packages() -> Path:
    """Return the folder with the npm packages, which are installed first."""
    return installed(f"oidc-provider-{VERSION}", *PACKAGES)


@contextmanager
def running_provider(origin: str, audience: str, log: Path) -> Iterator[str]:
    """Run a provider for a service with this origin and audience; yields the issuer."""
    script = packages().parent / SCRIPT.name  # Node looks for packages beside the script
    shutil.copyfile(SCRIPT, script)
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["node", str(script), issuer, str(port), origin, audience],
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_served(f"{issuer}/.well-known/openid-configuration", process, log)
        yield issuer
    finally:
        process.kill()
        process.wait()
