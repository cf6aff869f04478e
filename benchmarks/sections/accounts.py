"""The cost of accounts: reads with a token, logins, and reads during logins."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from benchmarks.bench import Bench
from benchmarks.contenders import Contender, Serving
from benchmarks.figures import Figures, Spread, find, ratio
from benchmarks.load import Result
from benchmarks.markdown import TITLES, against, details, number, spread, table
from benchmarks.measure import compare, in_turn, send
from benchmarks.workloads import LOGIN, READ, login, workloads

LOGIN_CLIENTS = 4
READ_CLIENTS = 8
QUIET, BUSY = "read one, quiet", "read one while 4 log in"


@dataclass(frozen=True)
class Accounts:
    """`readers` are reads before and during logins."""

    reads: list[Figures]
    logins: list[Figures]
    readers: list[Figures]


def slowdown(accounts: Accounts, contender: str) -> Spread:
    """The p50 of reads during logins, relative to the p50 before."""
    quiet = find(accounts.readers, contender, workload=QUIET)
    return ratio(find(accounts.readers, contender, workload=BUSY), quiet, "p50")


def measure(bench: Bench) -> Accounts:
    database = bench.database("asyncpg", accounts=True)
    read = workloads(database.data)[READ]
    longer = replace(bench.schedule, seconds=max(1.5, bench.schedule.seconds))
    contenders = [bench.service("asyncpg", accounts=True), Contender("ref", "asyncpg", None, True)]

    def reads(serving: Serving, seconds: float) -> Result:
        return send(serving, read, clients=READ_CLIENTS, seconds=seconds)

    def reads_during_logins(serving: Serving, seconds: float) -> Result:
        with ThreadPoolExecutor() as thread:
            logins = thread.submit(
                send, serving, login(), clients=LOGIN_CLIENTS, seconds=seconds + 1
            )
            time.sleep(0.3)
            result = reads(serving, seconds)
        assert not logins.result().errors, "logins failed"
        return result

    with bench.serving(contenders, database.location) as servings:
        return Accounts(
            compare(servings, bench.schedule, READ, read),
            compare(servings, longer, LOGIN, login(), LOGIN_CLIENTS),
            [
                *in_turn(servings, bench.schedule, QUIET, READ_CLIENTS, reads),
                *in_turn(servings, bench.schedule, BUSY, READ_CLIENTS, reads_during_logins),
            ],
        )


def page(accounts: Accounts) -> str:
    rows = []
    for name in ("service", "ref"):
        busy = find(accounts.readers, name, workload=BUSY)
        quiet = find(accounts.readers, name, workload=QUIET)
        peak = max(busy.spread("memory").high, find(accounts.logins, name).spread("memory").high)
        times = (number(quiet.median("p50")), number(busy.median("p50")))
        rows.append([TITLES[name], *times, spread(slowdown(accounts, name)), f"{peak:.0f}"])
    heads = ["Contender", "p50 quiet, ms", "p50 during logins, ms", "Ratio", "Peak RSS, MB"]
    measured = [*accounts.reads, *accounts.logins]
    return f"""\
With `auth=jwt`. All contenders hash passwords by Argon2 with the same parameters.

{against(measured, ("ref",))}
{READ_CLIENTS} clients that read, alone and while {LOGIN_CLIENTS} clients log in continuously:

{table(heads, rows)}
{details([*measured, *accounts.readers])}"""
