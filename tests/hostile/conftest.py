"""The services under attack."""

from collections.abc import Iterator, Mapping
from itertools import count, cycle, product
from pathlib import Path

import pytest

from harness.otlp import collecting
from harness.variants import DRIVERS, EXAMPLES, ONE_EACH, STRUCTURES, Variant
from tests.hostile.attacked import Attacked, attacked_service
from tests.hostile.endpoints import (
    Choose,
    Endpoint,
    T,
    assert_log_is_harmless,
    assert_spans_are_harmless,
    endpoints_of,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`attacked` is one service with auth and one without; with `--all`, of each driver."""
    if "attacked" in metafunc.fixturenames:
        everything = metafunc.config.getoption("all")
        pairs = (
            [*product(DRIVERS, ("none", "jwt")), ("asyncpg", "session"), ("asyncpg", "oidc")]
            if everything
            else zip(ONE_EACH, ("jwt", "none"), strict=False)
        )
        variants = [
            Variant(
                driver,
                structure,
                auth,
                EXAMPLES,
                telemetry="opentelemetry" if auth == "jwt" else "none",
                idempotency=True,
                jobs="database" if auth == "jwt" else "none",
            )
            for (driver, auth), structure in zip(pairs, cycle(STRUCTURES))
        ]
        if everything:
            variants += [
                Variant(driver, "flat", auth, EXAMPLES, api_keys=True, mail=mail)
                for (auth, mail), driver in product((("jwt", "smtp"), ("oidc", "none")), ONE_EACH)
            ]
        metafunc.parametrize(
            "attacked",
            [
                # One worker runs all tests of a service, which is started once.
                pytest.param(v, marks=pytest.mark.xdist_group(f"attacked-{v}"))
                for v in variants
            ],
            ids=str,
            indirect=True,
            scope="session",
        )


@pytest.fixture(scope="session")
def attacked(
    template: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp(str(request.param))
    with (
        collecting() as collector,
        attacked_service(template, folder, request.param, **collector.settings) as service,
    ):
        service.spans = collector.spans
        yield service


@pytest.fixture(scope="session")
def everything(request: pytest.FixtureRequest) -> bool:
    """Whether to try all attacks, which takes long."""
    return bool(request.config.getoption("all"))


@pytest.fixture
def choose(everything: bool) -> Choose:
    """Chooses attacks for one place: all of them with `--all`, otherwise every fourth."""
    places = count()

    def choose(attacks: Mapping[str, T]) -> list[T]:
        chosen = list(attacks.values())
        return chosen if everything else chosen[next(places) % 4 :: 4]

    return choose


@pytest.fixture
def endpoints(attacked: Attacked) -> Iterator[list[Endpoint]]:
    """All endpoints of the service, which must work after the attack as before."""
    yield endpoints_of(attacked)
    for path in ("/health/ready", "/api/v1/projects", "/api/v1/stations", "/api/v1/budgets"):
        assert attacked.request("GET", path).status_code == 200
    assert_log_is_harmless(attacked)
    assert_spans_are_harmless(attacked)
