"""The cost of telemetry: off, with all requests traced, and with a collector that is down."""

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.figures import Figures, Spread, find, ratio
from benchmarks.markdown import details, spread, table
from benchmarks.measure import CLIENTS, compare
from benchmarks.workloads import CREATE, LIST, READ, workloads
from harness.otlp import Collector, collecting
from harness.waiting import free_port

OFF, TENTH, ON, DOWN = "off", "a tenth of the requests traced", "on", "on, collector down"
WORKLOADS = (READ, LIST, CREATE)


class Sink(Collector):
    """Decodes nothing: that would take the CPU time of the services."""

    def receive(self, path: str, _: bytes) -> None:
        self.paths = [path]


def measure(bench: Bench) -> list[Figures]:
    """Without exporters, the service with telemetry is the one with `off`."""
    database = bench.database("asyncpg")
    service = bench.service("asyncpg", telemetry=True)
    with collecting(Sink) as collector:
        to = {"otel_exporter_otlp_endpoint": collector.url}
        tenth = {
            "otel_traces_sampler": "parentbased_traceidratio",
            "otel_traces_sampler_arg": "0.1",
        }
        down = {"otel_exporter_otlp_endpoint": f"http://127.0.0.1:{free_port()}"}
        environments = {OFF: {}, TENTH: to | tenth, ON: to, DOWN: down}
        contenders = [bench.service("asyncpg")] + [
            replace(service, variant=variant, environment=environment)
            for variant, environment in environments.items()
        ]
        with bench.serving(contenders, database.location) as servings:
            found = [
                figures
                for workload in WORKLOADS
                for figures in compare(
                    servings, bench.schedule, workload, workloads(database.data)[workload]
                )
            ]
        assert collector.paths, "nothing was exported"
    return found


def relative(found: list[Figures], workload: str, variant: str, name: str = "rate") -> Spread:
    """What the service does with telemetry, relative to the one without, in each round."""
    without = find(found, "service", workload=workload, variant="")
    return ratio(find(found, "service", workload=workload, variant=variant), without, name)


def page(found: list[Figures]) -> str:
    rows = [
        [workload, *(spread(relative(found, workload, each)) for each in (OFF, TENTH, ON, DOWN))]
        for workload in WORKLOADS
    ]
    return f"""\
Requests per second of a service with `telemetry=opentelemetry`, relative to one without; asyncpg,
{CLIENTS} clients. With "off", no variable of OpenTelemetry is set. Spans and metrics are sent with
OTLP.

{table(["Workload", OFF, TENTH, ON, DOWN], rows)}
{details(found)}"""
