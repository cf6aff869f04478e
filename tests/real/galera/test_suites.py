"""The suites of services on a node, and what Galera requires of tables."""

from collections.abc import Callable

import pytest

from harness.galera import Node
from harness.services import Service
from harness.suites import check_suite
from harness.variants import Variant, named
from tests.real.galera.cluster import drivers
from tests.real.galera.known_failures import KNOWN


@pytest.mark.parametrize("suite", KNOWN)
def test_suite_passes(
    cluster: list[Node], installed: Callable[[Variant], Service], suite: str
) -> None:
    address = f"mysql://{cluster[0].address}/service_test"
    check_suite(installed(named(suite)), KNOWN[suite], TEST_DATABASE_URL=address)


@drivers
def test_tables_suit_galera(cluster: list[Node], service: Service, name: str) -> None:
    del service
    without_key = cluster[0].execute(
        "SELECT table_name FROM information_schema.tables AS t"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE' AND NOT EXISTS (SELECT 1"
        " FROM information_schema.table_constraints AS c WHERE c.table_schema = t.table_schema"
        " AND c.table_name = t.table_name AND constraint_type = 'PRIMARY KEY')",
        name,
    )
    assert without_key == []
