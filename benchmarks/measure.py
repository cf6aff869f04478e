"""Measuring contenders in turn, so that other load on the machine affects all of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.bench import Bench, Database
from benchmarks.contenders import Contender, Serving
from benchmarks.figures import Figures
from benchmarks.load import Request, Result, load
from benchmarks.schedule import Schedule
from benchmarks.workloads import READ, workloads

CLIENTS = 32


def send(serving: Serving, request: Request, *, clients: int, seconds: float) -> Result:
    """Send requests to one contender as its user."""
    sent = replace(request, headers={**request.headers, **serving.headers})
    return load(serving.address, serving.pid, sent, clients=clients, seconds=seconds)


def in_turn(
    servings: Sequence[Serving],
    schedule: Schedule,
    workload: str,
    clients: int,
    run: Callable[[Serving, float], Result],
) -> list[Figures]:
    """After a warm-up, run each contender once per round.

    A run without any response is repeated with twice the duration, up to the timeout.
    """

    def answered(serving: Serving) -> Result:
        seconds = schedule.seconds
        result = run(serving, seconds)
        while not (result.rate or result.errors) and seconds < schedule.timeout:
            seconds *= 2
            result = run(serving, seconds)
        return result

    if schedule.warm_up:
        for serving in servings:
            run(serving, schedule.warm_up)
    contenders = [serving.contender for serving in servings]
    rounds = [[answered(serving) for serving in servings] for _ in range(schedule.rounds)]
    return [
        Figures(workload, of.name, of.driver, clients, list(results), of.variant)
        for of, results in zip(contenders, zip(*rounds, strict=True), strict=True)
    ]


def compare(
    servings: Sequence[Serving],
    schedule: Schedule,
    workload: str,
    request: Request,
    clients: int = CLIENTS,
) -> list[Figures]:
    """Send the same requests to each contender."""

    sending = min(clients, schedule.most_clients)

    def run(serving: Serving, seconds: float) -> Result:
        return send(serving, request, clients=sending, seconds=seconds)

    return in_turn(servings, schedule, workload, clients, run)


def compare_afresh(
    bench: Bench,
    contenders: Sequence[Contender],
    database: Database,
    schedule: Schedule,
    workload: str,
    request: Request,
    clients: int,
) -> list[Figures]:
    """As `compare`, with new processes in each round.

    Blocking processes continue with requests that their clients have abandoned.
    """
    once = replace(schedule, rounds=1, warm_up=0)
    rounds = []
    for _ in range(schedule.rounds):
        with bench.serving(contenders, database.location) as servings:
            for serving in servings:
                send(serving, workloads(database.data)[READ], clients=8, seconds=0.3)
            rounds.append(compare(servings, once, workload, request, clients))
    return [
        replace(same[0], rounds=[result for figures in same for result in figures.rounds])
        for same in zip(*rounds, strict=True)
    ]


def named(servings: Sequence[Serving], *names: str) -> list[Serving]:
    return [serving for serving in servings if serving.contender.name in names]
