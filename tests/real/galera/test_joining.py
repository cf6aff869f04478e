"""Nodes that join the cluster, and the donors that send them their rows."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.galera import Node
from harness.haproxy import haproxy
from harness.load import load
from harness.running import Running, serving
from harness.services import Service
from harness.waiting import eventually
from tests.real.galera.cluster import (
    assert_only_503s,
    connections,
    drivers,
    figures,
    haproxy_configuration,
    is_ready,
    names,
    url,
    written,
)

DONOR = "2"  # the state of a donor, and of a node that is desynchronized


def codes_until_ready(service: Running) -> set[str]:
    """The codes of `/health/ready` until it succeeds."""
    codes = set()

    def succeeds() -> bool:
        response = service.client.get("/health/ready")
        codes.update([] if response.status_code == 200 else [response.json()["code"]])
        return response.status_code == 200

    eventually(succeeds, lambda: service.log, seconds=60)
    return codes


@drivers
@pytest.mark.parametrize("receives", ["later rows", "all rows"])
def test_node_that_joins_is_not_ready_until_it_has_what_was_committed_before(
    cluster: list[Node],
    service: Service,
    name: str,
    driver: str,
    receives: str,
    noted: Callable[[str], None],
) -> None:
    other, donor, joiner = cluster
    with (
        serving(service, url(joiner, name)) as on_joiner,
        serving(service, url(other, name)) as on_other,
        load(on_other.client.base_url, 4) as sent,
        ThreadPoolExecutor(2) as threads,
    ):
        sent.wait_for(20, 201)
        joiner.kill()
        if receives == "all rows":
            joiner.forget()
        sent.wait_for(100, 201, after=time.monotonic() + 1)
        with donor.holding("rsync") as reached:
            started = threads.submit(joiner.start, f"--wsrep-sst-donor={donor.name}")
            eventually(lambda: reached.exists() or started.done(), seconds=60)
            assert on_joiner.call("GET", "/health/ready", status=503)["code"] == "unavailable"
            on_joiner.call("GET", "/health/live")
            sent.wait_for(50, 201, after=time.monotonic())
            before = written(sent)
            codes = threads.submit(codes_until_ready, on_joiner)
        assert codes.result() == {"unavailable"}
        assert before <= names(joiner, name)
        started.result()
        on_joiner.call("POST", "/api/v1/projects", {"name": "joined"}, status=201)
    assert_only_503s(sent, on_other)
    noted(f"{driver}, node that receives {receives}, on another node: {figures(sent)}")


@drivers
@pytest.mark.parametrize("method", ["rsync", "mariabackup"])
def test_donor_is_ready_and_serves_what_its_method_allows(
    cluster: list[Node],
    service: Service,
    name: str,
    driver: str,
    method: str,
    tmp_path: Path,
    noted: Callable[[str], None],
) -> None:
    donor, _, joiner = cluster
    with (
        haproxy(haproxy_configuration(service), cluster, tmp_path) as port,
        serving(service, f"mysql://root@127.0.0.1:{port}/{name}") as behind_proxy,
        serving(service, url(donor, name), database_lock_timeout=1) as on_donor,
        ThreadPoolExecutor(1) as threads,
    ):
        eventually(lambda: is_ready(behind_proxy))
        joiner.kill()
        joiner.forget()
        with (
            load(behind_proxy.client.base_url, 4) as by_proxy,
            load(on_donor.client.base_url, 4) as by_donor,
        ):
            by_donor.wait_for(50, 201)
            options = [f"--wsrep-sst-method={method}", f"--wsrep-sst-donor={donor.name}"]
            with donor.holding("rsync" if method == "rsync" else "socat") as reached:
                started = threads.submit(joiner.start, *options)
                eventually(lambda: reached.exists() or started.done(), seconds=60)
                assert donor.status("wsrep_local_state") == DONOR
                held = time.monotonic()
                by_donor.wait_for(20, 200, after=held)
                by_donor.wait_for(4, 503 if method == "rsync" else 201, after=held)
                assert is_ready(on_donor)
                by_proxy.wait_for(50, 201, after=held)
            started.result()
            by_donor.wait_for(50, 201, after=time.monotonic())
        for sent, running in ((by_proxy, behind_proxy), (by_donor, on_donor)):
            assert_only_503s(sent, running)
        acknowledged = written(by_proxy) | written(by_donor)
        eventually(lambda: all(acknowledged <= names(node, name) for node in cluster))
        noted(f"{driver}, donor by {method}, by HAProxy: {figures(by_proxy)}; 0 lost")
        noted(f"{driver}, donor by {method}, on the donor: {figures(by_donor)}; 0 lost")


@pytest.mark.parametrize("driver", ["asyncmy"])
def test_desynchronized_node_serves_and_the_proxy_leaves_it(
    cluster: list[Node],
    service: Service,
    name: str,
    tmp_path: Path,
    noted: Callable[[str], None],
) -> None:
    node, next_node, _ = cluster
    with (
        haproxy(haproxy_configuration(service), cluster, tmp_path) as port,
        serving(service, f"mysql://root@127.0.0.1:{port}/{name}") as behind_proxy,
        serving(service, url(node, name)) as on_node,
    ):
        eventually(lambda: is_ready(behind_proxy))
        with (
            load(behind_proxy.client.base_url, 4) as by_proxy,
            load(on_node.client.base_url, 4) as by_node,
        ):
            by_proxy.wait_for(50, 201)
            node.execute("SET GLOBAL wsrep_desync = ON")
            try:
                eventually(lambda: connections(next_node, name) > 0)
                desynchronized = time.monotonic()
                by_proxy.wait_for(50, 201, after=desynchronized)
                by_node.wait_for(50, 201, after=desynchronized)
                assert is_ready(on_node)
            finally:
                node.execute("SET GLOBAL wsrep_desync = OFF")
        assert_only_503s(by_proxy, behind_proxy)
        assert {each.status for each in by_node.responses} == {200, 201}
        noted(f"node that is desynchronized, by HAProxy: {figures(by_proxy)}")
