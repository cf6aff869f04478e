"""The answers that decide what is rendered, and the combinations that are tested."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations, cycle, product
from random import Random
from typing import Any

import yaml
from allpairspy import AllPairs

from harness.rendering import ROOT

QUESTIONS: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text())


def choices_of(question: str) -> tuple[str, ...]:
    return tuple(QUESTIONS[question]["choices"].values())


DRIVERS = choices_of("driver")
# The database of each driver.
FAMILIES: dict[str, str] = {
    driver: QUESTIONS["drivers"]["default"][driver]["family"] for driver in DRIVERS
}
# The first driver of each database.
ONE_EACH = [
    next(driver for driver in DRIVERS if FAMILIES[driver] == family)
    for family in dict.fromkeys(FAMILIES.values())
]
STRUCTURES = choices_of("structure")
AUTHS = choices_of("auth")
EXAMPLES = choices_of("examples")
DEV_DATABASES = choices_of("dev_database")
MAILS = choices_of("mail")
TELEMETRIES = choices_of("telemetry")
JOBS = choices_of("jobs")
DEPLOYMENTS = choices_of("deploy")
# The yes-or-no questions, and the part of a variant's name that stands for yes.
SWITCHES = {
    "sync_session": "sync",
    "devcontainer": "devcontainer",
    "api_keys": "keys",
    "rate_limits": "limits",
    "idempotency": "idempotency",
}

# Each question, or each choice of a question with several, with its answers. The first two kinds
# are combined in full, so a question more would double the variants. Those of the third kind change
# few files of a service: they are combined in pairs, with each other and with the rest.
MAIN: dict[str, tuple[Any, ...]] = {"driver": DRIVERS, "structure": STRUCTURES, "auth": AUTHS}
FURTHER: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(EXAMPLES, (False, True)),
    "dev_database": DEV_DATABASES,
    "sync_session": (False, True),
}
PAIRED: dict[str, tuple[Any, ...]] = {
    "devcontainer": (False, True),
    "rate_limits": (False, True),
    "idempotency": (False, True),
    "api_keys": (False, True),
    "mail": MAILS,
    "telemetry": TELEMETRIES,
    "jobs": JOBS,
    **dict.fromkeys(DEPLOYMENTS, (False, True)),
}
COMBINED = MAIN | FURTHER
COLUMNS = COMBINED | PAIRED
# The questions about callers: whatever they add to a service is tested with every driver.
CALLERS = ("auth", "api_keys", "mail", "rate_limits")
# The questions that are not asked with every answer to `auth`, and what their answer is then.
NOT_ALWAYS_ASKED: dict[str, Any] = {"api_keys": False, "mail": "none"}


@dataclass(frozen=True)
class Variant:
    driver: str
    structure: str = "flat"
    auth: str = "none"
    examples: tuple[str, ...] = ("projects",)
    dev_database: str = "same"
    sync_session: bool = False
    devcontainer: bool = False
    api_keys: bool = False
    mail: str = "none"
    rate_limits: bool = False
    telemetry: str = "none"
    idempotency: bool = False
    jobs: str = "none"
    deploy: tuple[str, ...] = ()

    def __str__(self) -> str:
        examples = "+".join(self.examples) or "empty"
        extras = ["dev_sqlite"] * self.sqlite_in_development
        extras += [part for question, part in SWITCHES.items() if getattr(self, question)]
        extras += ["mail"] * (self.mail == "smtp")
        extras += ["telemetry"] * (self.telemetry == "opentelemetry")
        extras += ["jobs"] * (self.jobs == "database")
        extras += ["+".join(self.deploy)] * (self.deploy != ())
        return "-".join([self.driver, self.structure, self.auth, examples, *extras])

    @property
    def sqlite_in_development(self) -> bool:
        return self.dev_database == "sqlite"

    @property
    def answers(self) -> dict[str, Any]:
        answers = asdict(self)
        answers |= {"examples": list(self.examples), "deploy": list(self.deploy)}
        if self.driver == "aiosqlite":  # for which the question is not asked
            del answers["dev_database"]
        for question in NOT_ALWAYS_ASKED:
            if not is_asked(question, self.auth):
                del answers[question]
        return answers

    @property
    def row(self) -> list[Any]:
        """Its answers in the order of COLUMNS."""
        chosen = {name: name in self.examples for name in EXAMPLES}
        chosen |= {name: name in self.deploy for name in DEPLOYMENTS}
        return [chosen[name] if name in chosen else getattr(self, name) for name in COLUMNS]

    @property
    def combination(self) -> tuple[Any, ...]:
        """Its answers to the questions that are combined in full."""
        return tuple(self.row[: len(COMBINED)])

    @property
    def choices(self) -> set[tuple[str, Any]]:
        """Its answers, one by one."""
        return set(zip(COLUMNS, self.row, strict=True))


def variant(row: Sequence[Any]) -> Variant:
    """The variant with these answers, in the order of COLUMNS."""
    answers = dict(zip(COLUMNS, row, strict=True))
    answers["examples"] = tuple(name for name in EXAMPLES if answers.pop(name))
    answers["deploy"] = tuple(name for name in DEPLOYMENTS if answers.pop(name))
    for question, no in NOT_ALWAYS_ASKED.items():
        if not is_asked(question, answers["auth"]):
            answers[question] = no
    if answers["driver"] == "aiosqlite":  # for which the question is not asked
        answers["dev_database"] = "same"
    return Variant(**answers)


def is_asked(question: str, auth: str) -> bool:
    """Whether a question is asked with this answer to `auth`."""
    return {"api_keys": auth != "none", "mail": auth in ("jwt", "session")}.get(question, True)


def pairs(variants: list[Variant]) -> set[object]:
    """The pairs of answers that occur together in one of the variants."""
    return {pair for v in variants for pair in combinations(zip(COLUMNS, v.row, strict=True), 2)}


def pairs_to_exercise(variants: list[Variant]) -> set[object]:
    """The same pairs, but the drivers of a database count as one answer, except with CALLERS."""
    first = {FAMILIES[driver]: driver for driver in ONE_EACH}
    of_callers = {
        (v.driver, question, answer)
        for v in variants
        for question in CALLERS
        if (answer := getattr(v, question)) not in ("none", False)
    }
    return of_callers | pairs([replace(v, driver=first[FAMILIES[v.driver]]) for v in variants])


# The words that make up a variant's name, and the answer that each stands for.
PARTS: dict[str, tuple[str, Any]] = {
    **{driver: ("driver", driver) for driver in DRIVERS},
    **{auth: ("auth", auth) for auth in AUTHS},
    **{structure: ("structure", structure) for structure in STRUCTURES},
    "all": ("examples", EXAMPLES),
    "empty": ("examples", ()),
    "dev_sqlite": ("dev_database", "sqlite"),
    "mail": ("mail", "smtp"),
    "telemetry": ("telemetry", "opentelemetry"),
    "jobs": ("jobs", "database"),
    **{part: (question, True) for question, part in SWITCHES.items()},
}


def named(name: str) -> Variant:
    """The variant with this name; its parts are in any order, and only the driver is required.

    Raises `ValueError` with a message for the person who wrote the name.
    """
    answers: dict[str, Any] = {}
    for part in name.split("-"):
        choices = set(part.split("+"))
        if part in PARTS:
            question, answer = PARTS[part]
        elif choices <= set(EXAMPLES):
            question, answer = "examples", tuple(e for e in EXAMPLES if e in choices)
        elif choices <= set(DEPLOYMENTS):
            question, answer = "deploy", tuple(d for d in DEPLOYMENTS if d in choices)
        else:
            raise ValueError(f"{name}: unknown part {part!r}; accepted: {accepted_parts()}.")
        if question in answers:
            raise ValueError(f"{name}: {part!r} is the second answer to {question!r}.")
        answers[question] = answer
    if "driver" not in answers:
        raise ValueError(f"{name}: a driver is required, one of {', '.join(DRIVERS)}.")
    if answers["driver"] == "aiosqlite" and "dev_database" in answers:
        raise ValueError(f"{name}: dev_sqlite requires a driver other than aiosqlite.")
    if "api_keys" in answers and "auth" not in answers:
        raise ValueError(f"{name}: keys requires accounts, such as jwt.")
    if "mail" in answers and not is_asked("mail", answers.get("auth", "none")):
        raise ValueError(f"{name}: mail requires passwords, such as jwt.")
    return Variant(**answers)


def accepted_parts() -> str:
    return "; ".join(
        [
            f"a driver ({', '.join(DRIVERS)})",
            f"auth ({', '.join(choices_of('auth'))})",
            f"a structure ({', '.join(STRUCTURES)})",
            f"examples ({', '.join(EXAMPLES)}, several joined with +, or all, or empty)",
            "dev_sqlite",
            "mail",
            "telemetry",
            "jobs",
            *SWITCHES.values(),
            f"deploy ({', '.join(DEPLOYMENTS)}, several joined with +)",
        ]
    )


def with_random_rest(combined: Sequence[Any]) -> Variant:
    """The variant with these answers in the order of COMBINED, and random ones to the rest.

    They are the same in every run, and do not depend on what other questions there are.
    """
    rest = {name: Random(f"{name} {combined}").choice(answers) for name, answers in PAIRED.items()}
    return variant((*combined, *rest.values()))


def completed(variants: list[Variant], others: Iterable[Variant]) -> list[Variant]:
    """The variants, and those of the others that differ in what is combined in full."""
    found = {v.combination for v in variants}
    return [*variants, *(other for other in others if other.combination not in found)]


# One variant of each combination; aiosqlite has only one answer to `dev_database`.
COMBINATIONS = list(
    {v.combination: v for v in map(with_random_rest, product(*COMBINED.values()))}.values()
)

# A service on two databases runs its suite twice, so there are few of these. They cover all pairs
# of `dev_database` with other answers.
ON_TWO_DATABASES = [
    named(name).row
    for name in (
        "asyncpg-by_feature-none-assistant-dev_sqlite-limits-idempotency",
        "psycopg-flat-jwt-measurements-dev_sqlite-sync-mail",
        "aiomysql-layered-session-projects-dev_sqlite-keys",
        "asyncmy-layered-oidc-empty-dev_sqlite-devcontainer-telemetry",
    )
]


# Between them, these have all answers but drivers, structures, a second database and kinds of
# accounts. By default only their suites measure coverage, which takes as long again as the tests;
# with `--all`, every suite of SELECTION does. The smallest one has to cover the common code alone.
SMALLEST = Variant("aiosqlite", examples=())
LARGEST = named(
    "asyncpg-layered-jwt-all-sync-devcontainer-keys-limits-mail-telemetry-idempotency-jobs"
    "-" + "+".join(DEPLOYMENTS)
)
MEASURED = [SMALLEST, LARGEST]
UNMEASURED = {"driver", "structure", "auth", "dev_database"}


def is_wanted(row: list[Any]) -> bool:
    """Whether variants may begin with these answers."""
    answers = dict(zip(COLUMNS, row, strict=False))
    if any(
        answers.get(question, no) != no and not is_asked(question, answers["auth"])
        for question, no in NOT_ALWAYS_ASKED.items()
    ):
        return False
    chosen = any(other[: len(row)] == row for other in ON_TWO_DATABASES)
    return chosen or "sqlite" not in row


ON_ONE = AllPairs(
    list(COLUMNS.values()),
    previously_tested=[*ON_TWO_DATABASES, LARGEST.row, SMALLEST.row],
    filter_func=is_wanted,
)

# Every pair of answers occurs in one of these, which are rendered by default.
SELECTION = [*map(variant, [*ON_TWO_DATABASES, *ON_ONE]), *MEASURED]

# Pairs that AllPairs misses because of `is_wanted`, and those of `dev_database` with answers that
# ON_TWO_DATABASES does not have.
while missing_pairs := pairs(COMBINATIONS) - pairs(SELECTION):
    SELECTION.append(max(COMBINATIONS, key=lambda v: len(pairs([v]) & missing_pairs)))

# A variant of each driver. By default only their suites contain the tests of the machinery. Suites
# without coverage leave out WITHOUT_DATABASE: the code that these files test needs no database. The
# suites of a database's second driver also leave out WITHOUT_DRIVER: the code that these files test
# depends on the database at most.
ON_ONE_DATABASE = [v for v in SELECTION if not v.sqlite_in_development]
WHOLE = list({v.driver: v for v in [*ON_ONE_DATABASE, *MEASURED]}.values())

# The suites of these run by default. Every pair of answers occurs in one of them, but the
# drivers of a database count as one answer, except with answers to CALLERS: they differ in the
# machinery, which WHOLE tests.
EXERCISED = list(WHOLE)
while missing_pairs := pairs_to_exercise(SELECTION) - pairs_to_exercise(EXERCISED):
    EXERCISED.append(max(SELECTION, key=lambda v: len(pairs_to_exercise([v]) & missing_pairs)))

# A variant of each driver and of each auth. By default only these are type-checked.
CHECKED = list(dict.fromkeys([*WHOLE, *{v.auth: v for v in SELECTION}.values()]))

WITHOUT_DATABASE = [
    f"tests/core/test_{name}.py"
    for name in (
        "access_log",
        "background",
        "client_address",
        "configuration",
        "csv_lines",
        "hosts",
        "http_client",
        "http_protocol",
        "http_retries",
        "live_server",
        "log_setup",
        "logs",
        "middleware",
        "monitoring",
        "openapi",
        "otlp",
        "public_addresses",
        "schemas",
        "server",
        "settings",
        "telemetry",
        "websockets",
    )
]

WITHOUT_DRIVER = [
    f"tests/core/test_{name}.py"
    for name in (
        "check_database",
        "domain_errors",
        "emails",
        "event_streams",
        "examples",
        "idempotency",
        "job_commands",
        "last_uses",
        "loaded_attributes",
        "login_attempts",
        "mail",
        "mail_settings",
        "main",
        "models",
        "pagination",
        "passwords",
        "preconditions",
        "purge",
        "rate_limits",
        "request_counters",
        "routing",
        "slow_clients",
        "smtp",
        "sqlalchemy",
        "statements",
        "stored_responses",
        "uvicorn",
        "versions",
        "written_limits",
    )
]

# Every driver with every structure and auth, and the other answers in turn. `make test-all` runs
# their suites.
ALL = completed(
    SELECTION,
    (
        with_random_rest((*main, *further))
        for main, further in zip(product(*MAIN.values()), cycle(product(*FURTHER.values())))
    ),
)

# Every combination of the answers that are combined in full, which `make test-all` renders.
EVERY = completed(ALL, COMBINATIONS)
