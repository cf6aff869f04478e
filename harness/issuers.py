"""The fake issuer of a service's tests, in a process of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from harness.running import python_of
from harness.services import Service

# Serves keys until stdin is closed, and prints the issuer and an access token of Ada.
ISSUER = """
import asyncio, sys
from tests.fake_issuer import running_issuer

async def serve():
    async with running_issuer() as issuer:
        print(issuer.url, issuer.token("ada", exp=4_102_444_800), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(serve())
"""


@contextmanager
def issuing(service: Service) -> Iterator[tuple[dict[str, str], str]]:
    """The settings of an issuer, and an access token of it."""
    with subprocess.Popen(
        [str(python_of(service)), "-c", ISSUER],
        cwd=service.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url, token = process.stdout.readline().split()
            yield (
                {
                    "oidc_issuer": url,
                    "oidc_audience": "this service",
                    "oidc_algorithms": "ES256",  # as the fake issuer signs
                },
                token,
            )
        finally:
            process.kill()  # leaving the block waits for it
