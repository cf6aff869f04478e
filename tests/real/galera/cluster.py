"""What the tests of a Galera cluster share."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest

from harness.galera import Node
from harness.load import Load
from harness.running import Running
from harness.services import Service

PROJECTS = "/api/v1/projects"
SECRET_KEY = "a secret that only the tests have"

drivers = pytest.mark.parametrize("driver", ["asyncmy", "aiomysql"])


def url(node: Node, name: str) -> str:
    return f"mysql://{node.address}/{name}"


def urls(nodes: Sequence[Node], name: str) -> list[str]:
    return [url(node, name) for node in nodes]


def names(node: Node, name: str) -> set[str]:
    """The names of all projects on a node."""
    return {found for (found,) in node.execute("SELECT name FROM projects", database=name)}


def written(sent: Load) -> set[str]:
    """The names of the projects whose creation was acknowledged."""
    return {response.name for response in sent.responses if response.status == 201}


def connections(node: Node, name: str) -> int:
    """How many connections to the database there are on a node."""
    query = "SELECT count(*) FROM information_schema.processlist WHERE db = %s"
    return int(node.execute(query, name)[0][0])


def haproxy_configuration(service: Service) -> str:
    """The configuration in the documentation of a service."""
    document = (service.folder / "docs" / "database.md").read_text()
    [found] = re.findall(r"```haproxy\n(.*?)```", document, re.DOTALL)
    return str(found)


def bootstrap(node: Node) -> None:
    """Let a node without quorum serve again, as docs/runbook.md of a service says."""
    if node.execute("SHOW VARIABLES LIKE 'wsrep_provider_pc_bootstrap'"):
        node.execute("SET GLOBAL wsrep_provider_pc_bootstrap = ON")
    else:
        node.execute("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")


def checked_out(service: Running) -> int:
    pools = service.call("GET", "/health/pool")
    return sum(pool["checked_out"] for pool in pools.values())


def is_ready(service: Running) -> bool:
    return service.client.get("/health/ready").status_code == 200


def assert_only_503s(sent: Load, service: Running) -> None:
    """Each request succeeded, or may be sent again."""
    found = {(response.status, response.retry_after) for response in sent.responses}
    assert found <= {(200, None), (201, None), (503, "1")}, service.log


def figures(sent: Load) -> str:
    """How many requests failed, and for how long none of their kind succeeded."""
    statuses = Counter(response.status for response in sent.responses)
    failed = {status: count for status, count in statuses.items() if status not in (200, 201)}
    received = sorted(each.received for each in sent.responses if each.status == 201)
    gap = max(later - earlier for earlier, later in pairwise(received))
    return f"{len(sent.responses)} sent, failed {failed}, {gap:.1f} s without a write"
