"""What accounts cost: reading with a token, logging in, and reading while others log in."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from benchmarks.bench import Bench
from benchmarks.contenders import Contender, Serving
from benchmarks.figures import Figures, Spread, find, ratio
from benchmarks.load import Result
from benchmarks.markdown import TITLES, against, details, number, spread, table
from benchmarks.measure import ask, compare, in_turn
from benchmarks.works import LOGIN, READ, login, works

WHO_LOGS_IN = 4
WHO_READS = 8
QUIET, BUSY = "read one, quiet", "read one while 4 log in"


@dataclass(frozen=True)
class Accounts:
    """`readers` are those who read while others log in, before and meanwhile."""

    reads: list[Figures]
    logins: list[Figures]
    readers: list[Figures]


def slowdown(accounts: Accounts, contender: str) -> Spread:
    """How many times its quiet p50 a read takes while others log in."""
    quiet = find(accounts.readers, contender, work=QUIET)
    return ratio(find(accounts.readers, contender, work=BUSY), quiet, "p50")


def measure(bench: Bench) -> Accounts:
    database = bench.database("asyncpg", accounts=True)
    read = works(database.data)[READ]
    longer = replace(bench.pace, seconds=max(1.5, bench.pace.seconds))
    contenders = [bench.service("asyncpg", accounts=True), Contender("ref", "asyncpg", None, True)]

    def reads(serving: Serving, seconds: float) -> Result:
        return ask(serving, read, clients=WHO_READS, seconds=seconds)

    def reads_among_logins(serving: Serving, seconds: float) -> Result:
        with ThreadPoolExecutor() as thread:
            logins = thread.submit(ask, serving, login(), clients=WHO_LOGS_IN, seconds=seconds + 1)
            time.sleep(0.3)
            result = reads(serving, seconds)
        assert not logins.result().errors, "logins failed"
        return result

    with bench.serving(contenders, database.place) as servings:
        return Accounts(
            compare(servings, bench.pace, READ, read),
            compare(servings, longer, LOGIN, login(), WHO_LOGS_IN),
            [
                *in_turn(servings, bench.pace, QUIET, WHO_READS, reads),
                *in_turn(servings, bench.pace, BUSY, WHO_READS, reads_among_logins),
            ],
        )


def page(accounts: Accounts) -> str:
    rows = []
    for name in ("service", "ref"):
        busy = find(accounts.readers, name, work=BUSY)
        quiet = find(accounts.readers, name, work=QUIET)
        peak = max(busy.spread("memory").high, find(accounts.logins, name).spread("memory").high)
        times = (number(quiet.median("p50")), number(busy.median("p50")))
        rows.append([TITLES[name], *times, spread(slowdown(accounts, name)), f"{peak:.0f}"])
    heads = ["Contender", "p50 quiet, ms", "p50 while 4 log in, ms", "Times", "Most RSS, MB"]
    measured = [*accounts.reads, *accounts.logins]
    return f"""\
With `auth=jwt`. Passwords are hashed by Argon2 with the same parameters.

{against(measured, ("ref",))}
{WHO_READS} clients that read, alone and while {WHO_LOGS_IN} clients log in without a pause:

{table(heads, rows)}
{details([*measured, *accounts.readers])}"""
