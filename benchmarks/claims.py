"""Claims from reports about moving to async, compared with the results."""

from dataclasses import dataclass

from benchmarks.figures import Figures, find, ratio
from benchmarks.markdown import spread, table
from benchmarks.measure import CLIENTS
from benchmarks.results import Results
from benchmarks.workloads import BATCH, MIXED, READ, SUMMARY


@dataclass(frozen=True)
class Claim:
    name: str
    times: float
    workload: str
    clients: int


CLAIMS = (
    Claim("simple SELECT", 3.3, READ, CLIENTS),
    Claim("bulk INSERT", 5, BATCH, CLIENTS),
    Claim("JOIN", 4.2, SUMMARY, CLIENTS),
    Claim("100 concurrent", 3, READ, 100),
    Claim("50 users", 5.3, READ, 50),
    Claim("more concurrency (mixed)", 10, MIXED, 100),
)
PAIRS = (("service", "sync_block"), ("service", "sync_thread"), ("ref", "sync_block"))


def page(results: Results) -> str:
    figures: list[Figures] = [*(results.mixed or [])]
    if results.main:
        figures += [*results.main.workloads, *results.main.users]
    rows = []
    for claim in CLAIMS:
        try:
            found = [
                ratio(
                    find(figures, one, workload=claim.workload, clients=claim.clients),
                    find(figures, other, workload=claim.workload, clients=claim.clients),
                )
                for one, other in PAIRS
            ]
        except LookupError:
            continue
        kept = [times.median >= claim.times for times in found[:2]]
        verdict = "true" if all(kept) else "partly" if any(kept) else "false"
        measured_as = f"{claim.workload}, {claim.clients} clients"
        rows.append([claim.name, measured_as, f"{claim.times:g}", *map(spread, found), verdict])
    heads = ["Claim", "Measured as", "Claimed", "the service / SYNC-BLOCK"]
    return f"""\
{table([*heads, "the service / SYNC-THREAD", "REF / SYNC-BLOCK", "Verdict"], rows)}
True: the service answers at least that many times the requests of both blocking references.
Partly: of one of them. False: of neither.
"""
