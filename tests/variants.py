"""All combinations of the answers that decide what is rendered, and the default selection."""

from dataclasses import astuple, dataclass
from itertools import product

from allpairspy import AllPairs

DRIVERS = ("aiosqlite", "asyncpg", "psycopg", "aiomysql", "asyncmy")
STRUCTURES = ("flat", "layered", "by_feature")
AUTHS = ("none", "jwt")


@dataclass(frozen=True)
class Variant:
    driver: str
    structure: str
    auth: str

    def __str__(self) -> str:
        return "-".join(astuple(self))

    @property
    def answers(self) -> dict[str, str]:
        return {"driver": self.driver, "structure": self.structure, "auth": self.auth}

    @property
    def environment(self) -> str:
        """What variants with the same dependencies have in common."""
        return f"{self.driver}-{self.auth}"


ALL = [Variant(*answers) for answers in product(DRIVERS, STRUCTURES, AUTHS)]

# Every pair of answers occurs in it, so every driver meets every auth and every structure.
SELECTION = [Variant(*answers) for answers in AllPairs([DRIVERS, STRUCTURES, AUTHS])]
