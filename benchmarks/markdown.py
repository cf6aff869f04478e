"""Tables and numbers of the page."""

from collections.abc import Iterable

from benchmarks.figures import Figures, Spread, ratio

TITLES = {
    "service": "the service",
    "floor_a": "FLOOR-A",
    "floor_b": "FLOOR-B",
    "ref": "REF",
    "sync_block": "SYNC-BLOCK",
    "sync_thread": "SYNC-THREAD",
}


def table(headers: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table with the first column aligned left and the others right."""
    heads = list(headers)
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def number(value: float) -> str:
    """A number with three significant digits."""
    if value > 1e9:
        return "∞"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(value: Spread) -> str:
    return f"{number(value.median)} ({bounds(value)})"


def bounds(value: Spread) -> str:
    return f"{number(value.low)}-{number(value.high)}"


def ratios(service: Figures, others: Iterable[Figures | None]) -> list[str]:
    """The requests per second of the service, relative to those of the others."""
    return ["" if other is None else spread(ratio(service, other)) for other in others]


def title(figures: Figures) -> str:
    return ", ".join(filter(None, [TITLES[figures.contender], figures.variant]))


def details(figures: Iterable[Figures]) -> str:
    heads = ["Workload", "Contender", "Clients", "Requests/s", "p50 ms", "p99 ms"]
    return table(
        [*heads, "CPU µs/request", "RSS MB", "Errors"],
        (
            [
                *(each.workload, title(each), each.clients, spread(each.spread("rate"))),
                *(number(each.median(name)) for name in ("p50", "p99", "cpu")),
                *(f"{each.spread('memory').high:.0f}", each.errors),
            ]
            for each in figures
        ),
    )


def against(figures: list[Figures], references: Iterable[str]) -> str:
    """The ratios of the service to the references, by workload, driver and clients."""
    names = list(references)
    found = {(each.workload, each.clients, each.driver, each.contender): each for each in figures}
    rows = []
    for each in figures:
        if each.contender == "service":
            key = (each.workload, each.clients)
            others = [
                found.get((*key, each.driver, name)) or found.get((*key, "psycopg", name))
                for name in names
            ]
            rows.append([each.workload, each.driver, each.clients, *ratios(each, others)])
    return table(["Workload", "Driver", "Clients", *(f"/ {TITLES[name]}" for name in names)], rows)


def by_variant(figures: list[Figures], head: str = "Variant") -> str:
    """The requests per second of each variant of the service, FLOOR-B and REF, and their ratios."""
    groups: dict[tuple[str, int, str], dict[str, Figures]] = {}
    for each in figures:
        group = groups.setdefault((each.workload, each.clients, each.variant), {})
        group[each.contender] = each
    rows = [
        [
            *(workload, clients, variant),
            *(number(group[name].median("rate")) for name in ("service", "floor_b", "ref")),
            *(spread(ratio(group["service"], group[name])) for name in ("floor_b", "ref")),
        ]
        for (workload, clients, variant), group in groups.items()
    ]
    heads = ["Workload", "Clients", head, "the service, requests/s", "FLOOR-B", "REF"]
    return table([*heads, "/ FLOOR-B", "/ REF"], rows)
