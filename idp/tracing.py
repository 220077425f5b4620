"""Spans by OpenTelemetry: one a request, by its route, and one for each of its stages.

The instrumentation for Flask would write whole addresses into them, and some of ours hold links
that sign in, or codes. These hold names and numbers only. Imported only where ``tracing`` is on.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_SERVICE: Final = "gatehouse"
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class Tracer:
    """Draws into whatever ``exporter`` sends; a ``measures.Spans``."""

    def __init__(self, exporter: SpanExporter) -> None:
        # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say counts more, as everywhere.
        resource = Resource.create()
        if str(resource.attributes.get(SERVICE_NAME)).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: _SERVICE}))
        self.provider = TracerProvider(resource=resource)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self.provider.get_tracer("idp")

    def span(self, name: str) -> AbstractContextManager[object]:
        """A stage of the span at hand."""
        return self._tracer.start_as_current_span(name, record_exception=False)

    def request(self, name: str, headers: Mapping[str, str]) -> AbstractContextManager[object]:
        """A request, as part of the trace that its caller names."""
        parent = _PROPAGATOR.extract(headers)
        return self._tracer.start_as_current_span(
            name, context=parent, kind=SpanKind.SERVER, record_exception=False
        )

    def tell(self, values: Mapping[str, str | int]) -> str:
        """Add to the span at hand; returns its trace's id."""
        span = get_current_span()
        span.set_attributes(values)
        return format(span.get_span_context().trace_id, "032x")
