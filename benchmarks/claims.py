"""What accounts of a move to async claim, next to what was measured here."""

from dataclasses import dataclass

from benchmarks.figures import Figures, find, ratio
from benchmarks.markdown import spread, table
from benchmarks.measure import CLIENTS
from benchmarks.results import Results
from benchmarks.works import BATCH, MIXED, READ, SUMMARY


@dataclass(frozen=True)
class Claim:
    name: str
    times: float
    work: str
    clients: int


CLAIMS = (
    Claim("simple SELECT", 3.3, READ, CLIENTS),
    Claim("bulk INSERT", 5, BATCH, CLIENTS),
    Claim("JOIN", 4.2, SUMMARY, CLIENTS),
    Claim("100 at once", 3, READ, 100),
    Claim("50 users", 5.3, READ, 50),
    Claim("more at once (mixed)", 10, MIXED, 100),
)
PAIRS = (("service", "sync_block"), ("service", "sync_thread"), ("ref", "sync_block"))


def page(results: Results) -> str:
    figures: list[Figures] = [*(results.mixed or [])]
    if results.main:
        figures += [*results.main.works, *results.main.users]
    rows = []
    for claim in CLAIMS:
        try:
            found = [
                ratio(
                    find(figures, one, work=claim.work, clients=claim.clients),
                    find(figures, other, work=claim.work, clients=claim.clients),
                )
                for one, other in PAIRS
            ]
        except LookupError:
            continue
        kept = [times.median >= claim.times for times in found[:2]]
        verdict = "true" if all(kept) else "partly" if any(kept) else "not"
        work = f"{claim.work}, {claim.clients} clients"
        rows.append([claim.name, work, f"{claim.times:g}", *map(spread, found), verdict])
    heads = ["Claim", "Measured as", "Claimed", "the service / SYNC-BLOCK"]
    return f"""\
{table([*heads, "the service / SYNC-THREAD", "REF / SYNC-BLOCK", "Verdict"], rows)}
True: the service answers at least that many times the requests of both blocking references.
Partly: of one of them. Not: of neither.
"""
