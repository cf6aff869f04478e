"""The answers that decide what is rendered, and the combinations that are tested."""

from dataclasses import astuple, dataclass
from itertools import cycle, product
from typing import Any

from allpairspy import AllPairs

DRIVERS = ("aiosqlite", "asyncpg", "psycopg", "aiomysql", "asyncmy")
# The database of each driver.
FAMILIES = {
    "asyncpg": "postgresql",
    "psycopg": "postgresql",
    "aiomysql": "mysql",
    "asyncmy": "mysql",
    "aiosqlite": "sqlite",
}
STRUCTURES = ("flat", "layered", "by_feature")
AUTHS = ("none", "jwt")
EXAMPLES = ("projects", "measurements", "assistant")
DEV_DATABASES = ("same", "sqlite")


@dataclass(frozen=True)
class Variant:
    driver: str
    structure: str = "flat"
    auth: str = "none"
    examples: tuple[str, ...] = ("projects",)
    dev_database: str = "same"
    sync_session: bool = False

    def __str__(self) -> str:
        examples = "+".join(self.examples) or "empty"
        extras = ["dev_sqlite"] * self.sqlite_in_development + ["sync"] * self.sync_session
        return "-".join([*astuple(self)[:3], examples, *extras])

    @property
    def sqlite_in_development(self) -> bool:
        return self.dev_database == "sqlite"

    @property
    def answers(self) -> dict[str, Any]:
        answers = {
            "driver": self.driver,
            "structure": self.structure,
            "auth": self.auth,
            "examples": list(self.examples),
            "sync_session": self.sync_session,
        }
        if self.driver != "aiosqlite":  # for which the question is not asked
            answers["dev_database"] = self.dev_database
        return answers

    @property
    def choices(self) -> set[object]:
        """Its answers, one by one."""
        examples = [(name, name in self.examples) for name in EXAMPLES]
        further = [
            ("dev_database", self.sqlite_in_development),
            ("sync_session", self.sync_session),
        ]
        return {self.driver, self.structure, self.auth, *examples, *further}

    @property
    def environment(self) -> str:
        """The name of the environment that variants with similar dependencies share."""
        return f"{self.driver}-{self.auth}"


def variant(answers: tuple[Any, ...]) -> Variant:
    driver, structure, auth, *examples, dev_database, sync_session = answers
    return Variant(
        driver,
        structure,
        auth,
        tuple(name for name, chosen in zip(EXAMPLES, examples, strict=True) if chosen),
        # The question is not asked for SQLite.
        "same" if driver == "aiosqlite" else dev_database,
        sync_session,
    )


# The words that make up a variant's name, and the answer that each stands for.
PARTS: dict[str, tuple[str, Any]] = {
    **{driver: ("driver", driver) for driver in DRIVERS},
    **{auth: ("auth", auth) for auth in AUTHS},
    **{structure: ("structure", structure) for structure in STRUCTURES},
    "all": ("examples", EXAMPLES),
    "empty": ("examples", ()),
    "dev_sqlite": ("dev_database", "sqlite"),
    "sync": ("sync_session", True),
}


def named(name: str) -> Variant:
    """The variant with this name; its parts are in any order, and only the driver is required.

    Raises `ValueError` with a message for the person who wrote the name.
    """
    answers: dict[str, Any] = {}
    for part in name.split("-"):
        examples = tuple(part.split("+"))
        if part in PARTS:
            question, answer = PARTS[part]
        elif set(examples) <= set(EXAMPLES):
            question, answer = "examples", tuple(e for e in EXAMPLES if e in examples)
        else:
            raise ValueError(f"{name}: unknown part {part!r}; accepted: {accepted_parts()}.")
        if question in answers:
            raise ValueError(f"{name}: {part!r} is the second answer to {question!r}.")
        answers[question] = answer
    if "driver" not in answers:
        raise ValueError(f"{name}: a driver is required, one of {', '.join(DRIVERS)}.")
    if answers["driver"] == "aiosqlite" and "dev_database" in answers:
        raise ValueError(f"{name}: dev_sqlite requires a driver other than aiosqlite.")
    return Variant(**answers)


def accepted_parts() -> str:
    return "; ".join(
        [
            f"a driver ({', '.join(DRIVERS)})",
            f"auth ({', '.join(AUTHS)})",
            f"a structure ({', '.join(STRUCTURES)})",
            f"examples ({', '.join(EXAMPLES)}, several joined with +, or all, or empty)",
            "dev_sqlite",
            "sync",
        ]
    )


MAIN = (DRIVERS, STRUCTURES, AUTHS)
FURTHER = (*[(True, False)] * len(EXAMPLES), DEV_DATABASES, (False, True))

# A service on two databases runs its suite twice, so there are few of these. They cover all pairs
# of `dev_database` with other answers.
ON_TWO_DATABASES = [
    ["asyncpg", "by_feature", "none", False, False, True, "sqlite", False],
    ["psycopg", "flat", "jwt", False, True, True, "sqlite", True],
    ["aiomysql", "layered", "none", True, False, False, "sqlite", False],
    ["asyncmy", "layered", "jwt", False, False, False, "sqlite", False],
]


def is_wanted(answers: list[Any]) -> bool:
    """Whether variants may begin with these answers."""
    chosen = any(row[: len(answers)] == answers for row in ON_TWO_DATABASES)
    return chosen or "sqlite" not in answers


ON_ONE = AllPairs([*MAIN, *FURTHER], previously_tested=ON_TWO_DATABASES, filter_func=is_wanted)

# Every pair of answers occurs in one of these. The smallest service, without examples and accounts,
# is one of them, because its suite alone has to cover the common code. Their suites run by default.
SMALLEST = Variant("aiosqlite", examples=())
SELECTION = [*(variant(tuple(answers)) for answers in [*ON_TWO_DATABASES, *ON_ONE]), SMALLEST]


# A few variants in which every answer occurs. By default only their suites measure coverage, which
# takes as long again as the tests. The last of SELECTION are on one database and take less time.
MEASURED = [SMALLEST]
while (
    missing := set[object]()
    .union(*(v.choices for v in SELECTION))
    .difference(*(v.choices for v in MEASURED))
):
    MEASURED.append(max(reversed(SELECTION), key=lambda v: len(v.choices & missing)))

# Every driver with every structure and auth, and the other answers in turn. By default these are
# rendered and checked; `make test-all` also runs their suites.
ALL = list(
    dict.fromkeys(
        SELECTION
        + [
            variant((*main, *further))
            for main, further in zip(product(*MAIN), cycle(product(*FURTHER)))
        ]
    )
)

# All combinations of answers, which `make test-all` renders and checks.
EVERY = list(dict.fromkeys(variant(answers) for answers in product(*MAIN, *FURTHER)))
