"""A language model for services with the assistant."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.waiting import free_port, wait_until_served

FAKE_MODEL = """
import asyncio
from fastapi import FastAPI

app = FastAPI()


@app.post("/v1/chat/completions")
async def complete(body: dict):
    await asyncio.sleep({seconds})
    return {{"choices": [{{"message": {{"content": body["model"] + " says yes"}}}}]}}
"""


@contextmanager
def fake_language_model(folder: Path, seconds: float = 0.5) -> Iterator[str]:
    """The URL of a language model that answers any number of requests after some time."""
    program = folder / "fake_model.py"
    program.write_text(FAKE_MODEL.format(seconds=seconds))
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "fake_model:app", "--port", str(port)]
    command += ["--timeout-graceful-shutdown", "0"]
    log = folder / "fake_model.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
    try:
        docs = f"http://127.0.0.1:{port}/docs"
        wait_until_served(docs, process, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)
