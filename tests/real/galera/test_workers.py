"""Workers on two nodes: the locks of their claims hold on one node each."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path

import pytest

from harness.galera import Node
from harness.rendering import render
from harness.waiting import eventually
from tests.faults.stack import Stack
from tests.faults.workers import Workers, enqueue, report, runs, until_succeeded
from tests.real.galera.cluster import drivers

JOBS = 300


@pytest.fixture
def stack(cluster: list[Node], template: Path, tmp_path: Path, driver: str) -> Iterator[Stack]:
    folder = tmp_path / "stack"
    render(template, folder, driver=driver, sync_session=True, jobs="database")
    stack = Stack(driver, folder, cluster[0])
    cluster[0].recreate_database(stack.database)
    stack.migrate()
    yield stack
    cluster[0].drop_database(stack.database)


@pytest.fixture
def workers(cluster: list[Node], stack: Stack, tmp_path: Path) -> Iterator[list[Workers]]:
    """The workers of two nodes."""
    both = []
    for node in cluster[:2]:
        folder = tmp_path / node.name
        folder.mkdir()
        on_node = copy(stack)
        on_node._server = node
        both.append(Workers(on_node, folder))
    try:
        yield both
    finally:
        for each in both:
            each.stop()


def logs(workers: list[Workers]) -> str:
    return "\n".join(each.log for each in workers)


@drivers
def test_workers_on_two_nodes_run_each_job_once(
    stack: Stack, workers: list[Workers], driver: str, noted: Callable[[str], None]
) -> None:
    enqueue(stack, JOBS)
    began = time.monotonic()
    for each in workers:
        each.start(2)
    until_succeeded(stack, workers[0], JOBS)
    took = time.monotonic() - began
    conflicts = logs(workers).count("The outbox cannot be used")
    noted(f"{driver}, workers on two nodes: {report(stack, JOBS, took)}, {conflicts} conflicts")
    assert runs(stack) == Counter(range(JOBS)), logs(workers)
    assert "Traceback" not in logs(workers)
    assert "lost its lease" not in logs(workers)


@drivers
def test_periodic_job_of_workers_on_two_nodes_is_enqueued_once_in_each_interval(
    stack: Stack, workers: list[Workers], driver: str, noted: Callable[[str], None]
) -> None:
    began = time.monotonic()
    for each in workers:
        each.start(2, tick_seconds=2)

    def ticks() -> list[tuple[object, ...]]:
        return stack.rows("SELECT attempts, state FROM outbox WHERE kind = 'Tick'")

    eventually(lambda: len(ticks()) >= 4, lambda: logs(workers), seconds=60)
    assert len(ticks()) <= (time.monotonic() - began) / 2 + 1
    eventually(lambda: {*ticks()} <= {(1, "succeeded")}, lambda: logs(workers))
    noted(f"{driver}, periodic job of four workers on two nodes: {len(ticks())} runs")
