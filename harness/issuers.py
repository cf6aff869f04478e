"""The fake issuer of a service's tests, in a process of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from harness.running import python_of
from harness.services import Service

# Serves keys until stdin is closed, prints its URL, and an access token for each line of claims.
ISSUER = """
import asyncio, json, sys
from tests.fake_issuer import running_issuer

async def serve():
    async with running_issuer() as issuer:
        print(issuer.url, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(issuer.token(**json.loads(line)), flush=True)

asyncio.run(serve())
"""
YEAR_2100 = 4_102_444_800


@dataclass
class Issuer:
    url: str
    claims: IO[str]
    tokens: IO[str]

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a service whose users log in here."""
        return {
            "oidc_issuer": self.url,
            "oidc_audience": "this service",
            "oidc_algorithms": "ES256",  # as the fake issuer signs
        }

    def token(self, subject: str, **claims: Any) -> str:
        """Return an access token of a user."""
        values = {"subject": subject, "exp": YEAR_2100} | claims
        print(json.dumps(values), file=self.claims, flush=True)
        return self.tokens.readline().strip()


@contextmanager
def issuing(service: Service) -> Iterator[Issuer]:
    with subprocess.Popen(
        [str(python_of(service)), "-c", ISSUER],
        cwd=service.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = process.stdout.readline().strip()
            assert url, "the issuer did not start"
            yield Issuer(url, process.stdin, process.stdout)
        finally:
            process.kill()  # leaving the block waits for it
