"""An owner's models, whose integer keys have gaps: each node counts in steps."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from harness.galera import Node
from harness.running import Running, alembic, serving
from harness.services import UV, Service
from harness.variants import Variant
from harness.waiting import eventually
from tests.owners.test_owners import add_models
from tests.real.galera.cluster import drivers, urls

BOOKS = "/api/v1/library/books"
BOOK = f"{BOOKS}?first_page=1&last_page=2"
COUNT = 20


@pytest.fixture
def service(installed: Callable[[Variant], Service], driver: str) -> Service:
    service = installed(Variant(driver, examples=()))
    add_models(service)
    return service


@pytest.fixture
def name(cluster: list[Node], service: Service) -> str:
    name = f"real_{uuid4().hex}"
    cluster[0].create_database(name)
    [address] = urls(cluster[:1], name)
    alembic(service, address, "upgrade head", "revision --autogenerate -m Library", "upgrade head")
    return name


@drivers
@pytest.mark.usefixtures("name")
def test_values_and_constraints_of_an_owner_work(cluster: list[Node], service: Service) -> None:
    url = f"mysql://{cluster[0].address}/service_test"
    tests = ("tests/test_constraints.py", "tests/test_library.py", "tests/core/test_migrations.py")
    service.succeed(UV, "run", "--no-sync", "pytest", "-q", *tests, TEST_DATABASE_URL=url)


@drivers
def test_pages_of_keys_that_two_nodes_generate_have_each_row_once(
    cluster: list[Node], service: Service, name: str
) -> None:
    here, other = urls(cluster[:2], name)
    with serving(service, here) as one, serving(service, other) as two:
        add(one, two)
        eventually(lambda: keys(cluster[1], name) == keys(cluster[0], name))
        before = keys(cluster[1], name)
        assert len(before) == 2 * COUNT
        assert before[-1] - before[0] >= len(before)  # with gaps
        found: list[int] = []
        page: dict[str, Any] = {"next_cursor": None}
        while not found or page["next_cursor"]:
            after = {"cursor": page["next_cursor"]} if found else {}
            params = {"sort": "-number", "limit": "7"} | after
            page = two.client.get(BOOKS, params=params).raise_for_status().json()
            found += [int(key) for (key,) in page["items"]]
            one.call("POST", BOOK, status=201)  # while the pages are read
        assert [key for key in found if key in before] == before[::-1]
        assert len(found) == len({*found})


def add(*processes: Running) -> None:
    for _ in range(COUNT):
        for process in processes:
            process.call("POST", BOOK, status=201)


def keys(node: Node, name: str) -> list[int]:
    rows = node.execute("SELECT number FROM books ORDER BY number", database=name)
    return [number for (number,) in rows]
