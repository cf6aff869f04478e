"""Checks that the application does not block the event loop."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from time import thread_time
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

# Seconds of CPU time: wall-clock time would include other processes.
LONGEST_STEP = 1.0

# Functions that read files once for each process or connection.
MAY_BLOCK = {
    "_connect",
    "create_engine",
    "create_sync_engine",
    "head_revisions",
    "known_revisions",
    "openapi",
}


@contextmanager
def no_blocking_calls() -> Iterator[None]:
    """Raise `BlockingError` where a coroutine of `app` makes a blocking call."""
    with blockbuster_ctx("app") as guard:
        for function in guard.functions.values():
            function.can_block_in(".py", MAY_BLOCK)
        yield


@contextmanager
def no_long_steps() -> Iterator[None]:
    """Raise `AssertionError` at the end if a step of a task computed for too long."""
    call_soon = asyncio.BaseEventLoop.call_soon
    long_steps: list[str] = []

    def watch(callback: Callable[..., object], *args: Any) -> None:
        began = thread_time()
        callback(*args)
        seconds = thread_time() - began
        if seconds > LONGEST_STEP:
            long_steps.append(f"{seconds:.1f} s in {callback}")

    def call_watched(
        loop: asyncio.BaseEventLoop,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        return call_soon(loop, watch, callback, *args, context=context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.BaseEventLoop, "call_soon", call_watched)
        yield
    assert not long_steps
