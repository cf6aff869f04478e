"""The answers that decide what is rendered, and the combinations of them that are tested."""

from dataclasses import astuple, dataclass
from itertools import cycle, product
from typing import Any

from allpairspy import AllPairs

DRIVERS = ("aiosqlite", "asyncpg", "psycopg", "aiomysql", "asyncmy")
# The kind of server that each talks to.
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
        extras = ["dev_sqlite"] * self.dual + ["sync"] * self.sync_session
        return "-".join([*astuple(self)[:3], examples, *extras])

    @property
    def dual(self) -> bool:
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
        if self.driver != "aiosqlite":  # which alone is not asked for another
            answers["dev_database"] = self.dev_database
        return answers

    @property
    def choices(self) -> set[object]:
        """What is chosen in it, one by one."""
        examples = [(name, name in self.examples) for name in EXAMPLES]
        further = [("dual", self.dual), ("sync_session", self.sync_session)]
        return {self.driver, self.structure, self.auth, *examples, *further}

    @property
    def environment(self) -> str:
        """What variants with nearly the same dependencies have in common."""
        return f"{self.driver}-{self.auth}"


def variant(answers: tuple[Any, ...]) -> Variant:
    driver, structure, auth, *examples, dev_database, sync_session = answers
    return Variant(
        driver,
        structure,
        auth,
        tuple(name for name, chosen in zip(EXAMPLES, examples, strict=True) if chosen),
        # SQLite alone is not asked for another.
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

# A service on two databases runs every test on both: few of these, which pair it with all else.
ON_TWO_DATABASES = [
    ["asyncpg", "by_feature", "none", False, False, True, "sqlite", False],
    ["psycopg", "flat", "jwt", False, True, True, "sqlite", True],
    ["aiomysql", "layered", "none", True, False, False, "sqlite", False],
    ["asyncmy", "layered", "jwt", False, False, False, "sqlite", False],
]


def is_wanted(answers: list[Any]) -> bool:
    """Whether to go on with these first answers."""
    chosen = any(row[: len(answers)] == answers for row in ON_TWO_DATABASES)
    return chosen or "sqlite" not in answers


ON_ONE = AllPairs([*MAIN, *FURTHER], previously_tested=ON_TWO_DATABASES, filter_func=is_wanted)

# Every pair of answers occurs in it; and the smallest service, in which no example and no accounts
# run what is common to all. These are run by default, each on its driver's real server.
SMALLEST = Variant("aiosqlite", examples=())
SELECTION = [*(variant(tuple(answers)) for answers in [*ON_TWO_DATABASES, *ON_ONE]), SMALLEST]


# Few of them, in which every choice occurs. To count the lines that run takes as long as to run
# them: by default it is done for these. The last are those on one database, which take less.
MEASURED = [SMALLEST]
while (
    missing := set[object]()
    .union(*(v.choices for v in SELECTION))
    .difference(*(v.choices for v in MEASURED))
):
    MEASURED.append(max(reversed(SELECTION), key=lambda v: len(v.choices & missing)))

# Each driver with each structure and auth, and each of the further answers in turn. These are
# rendered and read by default, and run by `make test-all`.
ALL = list(
    dict.fromkeys(
        SELECTION
        + [
            variant((*main, *further))
            for main, further in zip(product(*MAIN), cycle(product(*FURTHER)))
        ]
    )
)

# Everything that can be answered. These are rendered and read by `make test-all`.
EVERY = list(dict.fromkeys(variant(answers) for answers in product(*MAIN, *FURTHER)))
