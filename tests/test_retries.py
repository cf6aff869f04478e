"""Requests to language models are repeated however long an attempt takes."""

import sys
from collections.abc import Callable
from pathlib import Path

from harness.running import settings
from harness.services import Service
from harness.variants import Variant

# An attempt takes a minute on the clock of the retries, which stop after 45 seconds by default.
PROGRAM = """
import asyncio
from types import SimpleNamespace

import httpx2
import tenacity

from app.language_models import LanguageModels
from app.settings import Settings

attempts = []

def answer(request):
    attempts.append(request)
    if len(attempts) < 3:
        return httpx2.Response(503)
    body = b'{"choices": [{"message": {"content": "Yes."}}]}'
    return httpx2.Response(200, stream=httpx2.ByteStream(body))

async def main():
    tenacity.time = SimpleNamespace(monotonic=lambda: 60 * len(attempts))
    models = LanguageModels(Settings(assistant_models=["one"]))
    await models.aclose()
    models._client._client = httpx2.AsyncClient(
        transport=httpx2.MockTransport(answer), base_url="http://models"
    )
    print(await models.ask_all("Why?"), len(attempts))

asyncio.run(main())
"""


def test_third_attempt_is_made_after_two_that_took_minutes(
    rendered: Callable[[Variant], Path],
) -> None:
    folder = rendered(Variant("aiosqlite", examples=("assistant",)))
    service = Service(folder, Path(sys.prefix))
    output = service.succeed(sys.executable, "-c", PROGRAM, **settings("sqlite:///x.db", {}))
    assert output.endswith("{'one': 'Yes.'} 3\n")
