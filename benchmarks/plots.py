"""The plots of the page; the same results give the same bytes."""

from collections.abc import Callable
from pathlib import Path
from textwrap import fill

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import highlights
from benchmarks.figures import Figures, find, ratio
from benchmarks.markdown import TITLES
from benchmarks.measure import CLIENTS
from benchmarks.results import Results
from benchmarks.sections.main import Main
from benchmarks.workloads import BUILT

STYLE = {
    "svg.hashsalt": "copier-fastapi-async",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
COLORS = {
    "floor_a": "#bdbdbd",
    "floor_b": "#969696",
    "service": "#08519c",
    "ref": "#6baed6",
    "sync_block": "#e6550d",
    "sync_thread": "#fdae6b",
}
WIDTH = 0.8 / len(COLORS)


def draw(file: Path, size: tuple[float, float], paint: Callable[[Axes], None]) -> None:
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        paint(axes)
        axes.legend(frameon=False, fontsize=8, ncols=6, loc="lower left", bbox_to_anchor=(0, 1))
        figure.savefig(file, metadata={"Date": None})


def bars(axes: Axes, figures: list[Figures], low: str, high: str | None = None) -> None:
    """A group of bars for each workload; `high` adds a line from the bar to another value."""
    workloads = list(dict.fromkeys(each.workload for each in figures))
    for number, (name, color) in enumerate(COLORS.items()):
        shift = (number - len(COLORS) / 2 + 0.5) * WIDTH
        positions = [index + shift for index in range(len(workloads))]
        found = [find(figures, name, workload=workload) for workload in workloads]
        heights = [each.median(low) for each in found]
        axes.bar(positions, heights, WIDTH, label=TITLES[name], color=color)
        if high is not None:
            axes.vlines(positions, heights, [each.median(high) for each in found], "black", lw=0.8)
    axes.set_xticks(range(len(workloads)), [fill(workload, 12) for workload in workloads])
    axes.set_yscale("log")


def draw_overview(results: Results, folder: Path) -> None:
    """Bars of the requests per second relative to REF, for each driver and workload."""
    figures = highlights.figures_of(results)
    names = ("floor_b", "service", "ref")
    measured = {(each.driver, each.workload) for each in figures if each.contender == "service"}
    groups = [group for group in highlights.OVERVIEW if group in measured]

    def paint(axes: Axes) -> None:
        for number, name in enumerate(names):
            times = [
                ratio(
                    find(figures, name, driver=driver, workload=workload),
                    find(figures, "ref", driver=driver, workload=workload),
                ).median
                for driver, workload in groups
            ]
            positions = [index + (number - 1) * 0.27 for index in range(len(groups))]
            bars = axes.bar(positions, times, 0.27, label=TITLES[name], color=COLORS[name])
            axes.bar_label(bars, fmt="%.1f", fontsize=7, padding=1)
        labels = [f"{fill(workload, 12)}\n{driver}" for driver, workload in groups]
        axes.set_xticks(range(len(groups)), labels)
        axes.set_ylabel(f"requests/s, REF = 1, {CLIENTS} clients")

    draw(folder / "overview.svg", (9, 3.5), paint)


def draw_all(results: Results, main: Main, folder: Path) -> None:
    draw_overview(results, folder)
    usual = [each for each in main.workloads if each.clients == CLIENTS and each.workload != BUILT]

    def throughput(axes: Axes) -> None:
        bars(axes, usual, "rate")
        axes.set_ylabel(f"requests/s, {CLIENTS} clients")

    def latency(axes: Axes) -> None:
        bars(axes, usual, "p50", "p99")
        axes.set_ylabel(f"ms, {CLIENTS} clients: bar p50, line p99")

    def scaling(axes: Axes) -> None:
        found: dict[int, float] = {}
        for name in ("floor_b", "service", "ref"):
            found = {
                each.clients: each.median("rate") for each in main.scaling if each.contender == name
            }
            axes.plot(
                *zip(*found.items(), strict=True), "o-", color=COLORS[name], label=TITLES[name]
            )
        axes.set_xscale("log", base=2)
        axes.set_xticks(list(found), map(str, found))
        axes.set_ylim(bottom=0)
        axes.set_xlabel("clients")
        axes.set_ylabel("requests/s, read one")

    draw(folder / "throughput.svg", (9, 3.5), throughput)
    draw(folder / "latency.svg", (9, 3.5), latency)
    draw(folder / "scaling.svg", (6, 3), scaling)
