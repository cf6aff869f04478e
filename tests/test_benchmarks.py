"""The page of the benchmarks and the figures in the README are generated from the results."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import pytest

from benchmarks.exact_load import Clients
from benchmarks.highlights import with_figures
from benchmarks.load import Request
from benchmarks.report import page
from benchmarks.results import read
from benchmarks.sections import scaling
from harness.rendering import ROOT

FOLDER = ROOT / "docs" / "performance"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def test_page_is_generated_from_the_results() -> None:
    generated = page(read(FOLDER / "results.json"), (FOLDER / "reading.md").read_text())
    assert (ROOT / "docs" / "performance.md").read_text() == generated


def test_readme_has_the_figures_of_the_results() -> None:
    readme = (ROOT / "README.md").read_text()
    assert with_figures(readme, read(FOLDER / "results.json")) == readme
    other = re.sub(r"[0-9.]+ times the reads", "99 times the reads", readme)
    assert with_figures(other, read(FOLDER / "results.json")) == readme


def test_scaling_guide_has_the_figures_of_the_results() -> None:
    guide = (ROOT / "docs" / "scaling.md").read_text()
    found = read(FOLDER / "results.json").scaling
    assert found is not None
    assert scaling.with_figures(guide, found) == guide
    other = guide.replace(scaling.per_core(found), "other figures")
    assert scaling.with_figures(other, found) == guide


class Answering:
    """A server that answers each request on a connection, and counts them."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.requests = 0
        Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(1 << 16):
                self.requests += 1
                connection.sendall(RESPONSE)


@pytest.fixture
def answering() -> Iterator[Answering]:
    server = Answering()
    yield server
    server.socket.close()


def test_exact_load_sends_exactly_as_many_requests(answering: Answering) -> None:
    with closing(Clients(answering.address, Request("GET", "/"), {}, 4)) as clients:
        clients.send(10)
        clients.send(11)
    assert answering.requests == 21
