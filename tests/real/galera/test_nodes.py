"""Nodes that are killed, lose their quorum, and come back."""

import time
from collections.abc import Callable
from pathlib import Path

from harness.galera import Node
from harness.haproxy import haproxy
from harness.load import load
from harness.running import run_in, serving
from harness.services import Service
from harness.waiting import eventually
from tests.real.galera.cluster import (
    PROJECTS,
    assert_only_503s,
    bootstrap,
    checked_out,
    drivers,
    figures,
    haproxy_configuration,
    is_ready,
    names,
    url,
    written,
)


@drivers
def test_acknowledged_writes_survive_the_loss_of_a_node(
    cluster: list[Node],
    service: Service,
    name: str,
    driver: str,
    tmp_path: Path,
    noted: Callable[[str], None],
) -> None:
    with (
        haproxy(haproxy_configuration(service), cluster, tmp_path) as port,
        serving(service, f"mysql://root@127.0.0.1:{port}/{name}") as behind_proxy,
        serving(service, url(cluster[1], name)) as direct,
    ):
        eventually(lambda: is_ready(behind_proxy))
        with (
            load(behind_proxy.client.base_url, 4) as by_proxy,
            load(direct.client.base_url, 4) as by_other,
        ):
            by_proxy.wait_for(50, 200, 201)
            by_other.wait_for(50, 200, 201)
            cluster[0].kill()
            killed = time.monotonic()
            by_proxy.wait_for(100, 201, after=killed + 1)
            by_other.wait_for(100, 201, after=killed + 1)
            cluster[0].start()
            started = time.monotonic()
            by_proxy.wait_for(200, 201, after=started)
        for sent, running in ((by_proxy, behind_proxy), (by_other, direct)):
            assert_only_503s(sent, running)
            assert checked_out(running) == 0
        acknowledged = written(by_proxy) | written(by_other)
        eventually(lambda: all(acknowledged <= names(node, name) for node in cluster))
        noted(f"{driver}, node killed and back, by HAProxy: {figures(by_proxy)}; 0 lost")
        noted(f"{driver}, node killed and back, on another node: {figures(by_other)}; 0 lost")


@drivers
def test_node_without_quorum_is_not_ready(
    cluster: list[Node], service: Service, name: str, driver: str, noted: Callable[[str], None]
) -> None:
    *lost, left = cluster
    with serving(service, url(left, name)) as running:
        with load(running.client.base_url, 4) as sent:
            sent.wait_for(50, 200, 201)
            for node in lost:
                node.kill()
            eventually(lambda: left.status("wsrep_cluster_status") == "non-Primary")
            sent.wait_for(50, 503, after=time.monotonic())
            assert running.call("GET", "/health/ready", status=503)["code"] == "unavailable"
            running.call("GET", "/health/live")
            with serving(service, url(left, name)) as started_later:
                assert (
                    started_later.call("GET", "/health/ready", status=503)["code"] == "unavailable"
                )
                started_later.call("GET", "/health/live")
            check = run_in(service, url(left, name), "python", "-m", "app.core.check_database")
            assert check.returncode != 0
            assert "This Galera node has no quorum" in check.stdout
            bootstrap(left)
            eventually(lambda: is_ready(running))
            back = time.monotonic()
            sent.wait_for(50, 201, after=back)
            for node in lost:
                node.start()
        assert_only_503s(sent, running)
        assert checked_out(running) == 0
        eventually(lambda: all(written(sent) <= names(node, name) for node in cluster))
        noted(f"{driver}, quorum lost and restored: {figures(sent)}; 0 lost")


@drivers
def test_dirty_reads_serve_what_was_committed_before_the_loss_and_writes_are_rejected(
    cluster: list[Node], service: Service, name: str
) -> None:
    *lost, left = cluster
    with serving(service, url(left, name)) as running:
        project = running.call("POST", PROJECTS, {"name": "Alpha"}, status=201)
        for node in lost:
            node.kill()
        eventually(lambda: left.status("wsrep_cluster_status") == "non-Primary")
        eventually(lambda: not is_ready(running))
        left.execute("SET GLOBAL wsrep_dirty_reads = ON")
        try:
            eventually(lambda: is_ready(running))
            assert running.call("GET", f"{PROJECTS}/{project['id']}")["name"] == "Alpha"
            rejected = running.client.post(PROJECTS, json={"name": "Beta"})
            assert (rejected.status_code, rejected.headers["Retry-After"]) == (503, "1")
        finally:
            left.execute("SET GLOBAL wsrep_dirty_reads = OFF")
        # Connections keep the value that they have got when they were opened.
        assert is_ready(running)
    with serving(service, url(left, name)) as started_later:
        started_later.call("GET", "/health/ready", status=503)
