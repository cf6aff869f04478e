"""A collector of OpenTelemetry in this process: it receives OTLP over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

# Export soon, so that tests need not wait.
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "100"}


@dataclass(frozen=True)
class Span:
    """A span; IDs are hexadecimal, and `text` has everything that was exported."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    began: int
    kind: str
    is_error: bool
    attributes: dict[str, Any]
    resource: dict[str, Any]
    text: str


@dataclass
class Collector:
    """What was received. `status` is that of its responses, which wait for `may_respond`."""

    spans: list[Span] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    status: int = 200
    may_respond: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def settings(self) -> dict[str, str]:
        """Environment variables of a service that exports to it at once."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, **SOON}

    def receive(self, path: str, body: bytes) -> None:
        self.paths.append(path)
        if path == "/v1/metrics":
            self.metrics.append(ExportMetricsServiceRequest.FromString(body))
        else:
            self.spans += spans_of(ExportTraceServiceRequest.FromString(body))

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of a trace in the order of their start."""
        found = [span for span in [*self.spans] if span.trace_id == trace_id]
        return sorted(found, key=lambda span: span.began)

    def points(self, name: str, **attributes: Any) -> list[Any]:
        """The points of a metric in the last export, whose attributes include these."""
        wanted = {key.replace("_", "."): value for key, value in attributes.items()}
        return [
            point
            for metric in metrics_of(self.metrics[-1])
            if metric.name == name
            for point in getattr(metric, str(metric.WhichOneof("data"))).data_points
            if wanted.items() <= plain(point.attributes).items()
        ]


def metrics_of(request: ExportMetricsServiceRequest) -> Iterator[Any]:
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            yield from scope.metrics


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.start_time_unix_nano,
                    ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    span.status.code == Status.STATUS_CODE_ERROR,
                    plain(span.attributes),
                    plain(resource.resource.attributes),
                    str(span),
                )


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as a dictionary."""
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: value_of(pair.value) for pair in pairs}


def value_of(value: AnyValue) -> Any:
    return getattr(value, str(value.WhichOneof("value")))


@contextmanager
def collecting(kind: type[Collector] = Collector) -> Iterator[Collector]:
    """A running collector, which accepts everything."""
    collector = kind()
    collector.may_respond.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.receive(self.path, body)
            collector.may_respond.wait()
            self.send_response(collector.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            collector.may_respond.set()
            server.shutdown()
            thread.join()
