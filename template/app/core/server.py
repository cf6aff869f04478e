"""The production server, with graceful shutdown: `python -m app.main`."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from app.core.http_protocol import HttpProtocol
from app.settings import Settings

logger = logging.getLogger(__name__)

# Seconds in which cancelled requests clean up, such as roll back their transactions.
CLEANUP_SECONDS = 5


class Server(uvicorn.Server):
    """uvicorn with a graceful shutdown that exits with status 0.

    After SIGTERM, SIGINT or SIGHUP, readiness fails, so that load balancers stop sending requests.
    After `shutdown_delay` seconds, the server closes its sockets and finishes requests in flight.
    Requests that take longer than `shutdown_timeout` seconds are cancelled, and end before the
    connections to the database are closed. A second signal exits at once.

    `capture_signals`, `should_exit`, `force_exit` and `server_state` are undocumented. Remove the
    override when uvicorn can exit with status 0, and waits for the requests that it cancels:
    `tests/core/test_server.py` is the contract.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self.state = app.state
        self.delay = settings.shutdown_delay
        self.timeout = settings.shutdown_timeout
        config = uvicorn.Config(
            app,
            # "" stands for all addresses; uvicorn would listen at "::" for IPv6 only.
            host="" if settings.listen_address == "::" else settings.listen_address,
            port=settings.port,
            http=HttpProtocol,
            limit_concurrency=max_connections(settings),
            log_config=None,
            root_path=settings.root_path,
            server_header=False,
            # uvicorn's default trusts X-Forwarded-For of every program on this machine.
            forwarded_allow_ips=settings.forwarded_allow_ips,
            timeout_graceful_shutdown=self.timeout + CLEANUP_SECONDS,
            ws_max_size=settings.max_body_bytes,
        )
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals; uvicorn's own version ends the process by the signal it received."""
        loop = asyncio.get_running_loop()

        def handle(*_: object) -> None:
            loop.call_soon_threadsafe(self.shut_down)

        previous = {number: signal.signal(number, handle) for number in shutdown_signals()}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def shut_down(self) -> None:
        """Fail readiness, and stop after the delay; at once if it is called again."""
        if self.state.shutting_down:
            self.should_exit = self.force_exit = True
            return
        self.state.shutting_down = True
        asyncio.get_running_loop().call_later(self.delay, self.stop)

    def stop(self) -> None:
        """Finish the requests in flight and exit."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close sockets, and wait for requests; after the timeout, cancel them."""
        asyncio.get_running_loop().call_later(self.timeout, self.cancel_requests)
        await super().shutdown(sockets)

    def cancel_requests(self) -> None:
        """Cancel the requests that are still in flight."""
        tasks = self.server_state.tasks
        if tasks:
            logger.error("SHUTDOWN_TIMEOUT is over: cancelled %d requests", len(tasks))
        for task in tasks:
            task.cancel()


def shutdown_signals() -> list[signal.Signals]:
    """Return the signals that shut down; SIGHUP unless nohup ignores it. Windows has no SIGHUP."""
    hangup = [number for number in signal.Signals if number.name == "SIGHUP"]
    handled = [number for number in hangup if signal.getsignal(number) is not signal.SIG_IGN]
    return [signal.SIGINT, signal.SIGTERM, *handled]


def max_connections(settings: Settings) -> int:
    """Return MAX_CONNECTIONS, or half of the files that this process may open, if that is less.

    The other half is for the database and for requests to other services.
    """
    files = os.sysconf("SC_OPEN_MAX") if hasattr(os, "sysconf") else -1  # not on Windows
    return min(settings.max_connections, files // 2) if files > 0 else settings.max_connections


def freeze_gc() -> None:
    """Exclude startup objects from garbage collection.

    Otherwise each full collection would block the event loop for about 60 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)  # collect objects created later less often


def serve(app: FastAPI, settings: Settings) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP. Exits with status 3 if the server cannot start."""
    Server(app, settings).run()
