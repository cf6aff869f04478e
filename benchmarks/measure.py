"""Measuring contenders in turn, so that what disturbs the machine disturbs all of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.bench import Bench, Database
from benchmarks.contenders import Contender, Serving
from benchmarks.figures import Figures
from benchmarks.load import Request, Result, load
from benchmarks.pace import Pace
from benchmarks.works import READ, works

CLIENTS = 32


def ask(serving: Serving, request: Request, *, clients: int, seconds: float) -> Result:
    """Load on one contender, in the name of its user."""
    sent = replace(request, headers={**request.headers, **serving.headers})
    return load(serving.address, serving.pid, sent, clients=clients, seconds=seconds)


def in_turn(
    servings: Sequence[Serving],
    pace: Pace,
    work: str,
    clients: int,
    run: Callable[[Serving, float], Result],
) -> list[Figures]:
    """After a warm-up, each contender once in each round; longer where so short a load gets no
    answer at all.
    """

    def answered(serving: Serving) -> Result:
        seconds = pace.seconds
        result = run(serving, seconds)
        while not (result.rate or result.errors) and seconds < pace.patience:
            seconds *= 2
            result = run(serving, seconds)
        return result

    if pace.warm_up:
        for serving in servings:
            run(serving, pace.warm_up)
    rounds = [[answered(serving) for serving in servings] for _ in range(pace.rounds)]
    return [
        Figures(work, serving.contender.name, serving.contender.driver, clients, list(results))
        for serving, results in zip(servings, zip(*rounds, strict=True), strict=True)
    ]


def compare(
    servings: Sequence[Serving], pace: Pace, work: str, request: Request, clients: int = CLIENTS
) -> list[Figures]:
    """The same load on each."""

    sending = min(clients, pace.most_clients)

    def run(serving: Serving, seconds: float) -> Result:
        return ask(serving, request, clients=sending, seconds=seconds)

    return in_turn(servings, pace, work, clients, run)


def compare_afresh(
    bench: Bench,
    contenders: Sequence[Contender],
    database: Database,
    pace: Pace,
    work: str,
    request: Request,
    clients: int,
) -> list[Figures]:
    """Processes anew for each round, since blocking ones go on with what nobody waits for."""
    once = replace(pace, rounds=1, warm_up=0)
    rounds = []
    for _ in range(pace.rounds):
        with bench.serving(contenders, database.place) as servings:
            for serving in servings:
                ask(serving, works(database.data)[READ], clients=8, seconds=0.3)
            rounds.append(compare(servings, once, work, request, clients))
    return [
        replace(same[0], rounds=[result for figures in same for result in figures.rounds])
        for same in zip(*rounds, strict=True)
    ]


def named(servings: Sequence[Serving], *names: str) -> list[Serving]:
    return [serving for serving in servings if serving.contender.name in names]
