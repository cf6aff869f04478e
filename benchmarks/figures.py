"""The measurements of one contender with one workload, and how two contenders compare."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from benchmarks.load import Result

# Replaces a rate of 0, so that the ratio to it is practically infinite.
TINY = 1e-300


@dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        found = sorted(values)
        return cls(median(found), found[0], found[-1])


@dataclass(frozen=True)
class Figures:
    """All rounds of one contender with one workload."""

    workload: str
    contender: str
    driver: str
    clients: int
    rounds: list[Result]
    variant: str = ""

    def spread(self, name: str) -> Spread:
        """The spread of a field of `Result`."""
        return Spread.of(getattr(result, name) for result in self.rounds)

    def median(self, name: str) -> float:
        return self.spread(name).median

    @property
    def errors(self) -> int:
        return sum(result.errors for result in self.rounds)


def ratio(one: Figures, other: Figures, name: str = "rate") -> Spread:
    """The ratio in each round, in which both are measured in succession."""
    pairs = zip(one.rounds, other.rounds, strict=True)
    return Spread.of(getattr(a, name) / (getattr(b, name) or TINY) for a, b in pairs)


def find(figures: list[Figures], contender: str, **wanted: object) -> Figures:
    """The figures with these fields. Raises `LookupError` if there are none."""
    for each in figures:
        if each.contender == contender and all(getattr(each, k) == v for k, v in wanted.items()):
            return each
    raise LookupError(f"{contender} {wanted}")
