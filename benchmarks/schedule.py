"""Durations and sizes of the measurements."""

import sys
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Schedule:
    """The default takes three quarters of an hour on two cores."""

    seconds: float = 2
    rounds: int = 3
    warm_up: float = 0.4
    most_clients: int = 1000
    clients: tuple[int, ...] = (1, 4, 16, 64, 256)
    users: tuple[int, ...] = (50, 100)
    bursts: tuple[int, ...] = (100, 500, 1000)
    timeout: float = 15
    rows: tuple[int, ...] = (10**3, 10**4, 10**5, 10**6)
    requests: int = 20
    batches: int = 60
    whole_suite: bool = True
    pool_sizes: tuple[int, ...] = (5, 8, 10, 15, 30, 100)
    pythons: tuple[str, ...] = ("3.11", "3.12", "3.13", "3.14")
    # Under callgrind.
    counted_warm_up: int = 500
    counted: int = 320
    counted_drivers: tuple[str, ...] = ("psycopg", "asyncmy", "aiomysql", "aiosqlite")

    def with_rounds(self, most: int) -> "Schedule":
        return replace(self, rounds=min(most, self.rounds))


# Few clients, because opening many connections takes long.
SMOKE = Schedule(
    seconds=0.2,
    rounds=1,
    warm_up=0,
    most_clients=8,
    clients=(4,),
    users=(),
    bursts=(100,),
    timeout=3,
    rows=(10**3, 10**4),
    requests=4,
    batches=3,
    whole_suite=False,
    pool_sizes=(5,),
    pythons=(f"{sys.version_info.major}.{sys.version_info.minor}",),
    counted_warm_up=8,
    counted=8,
    counted_drivers=(),
)
