"""The application for any WSGI server: ``idp.wsgi:app``.

Importing it reads the settings, sets up the logs and starts the upkeep: import it in the process
that serves, not in one that forks afterwards.
"""

from importlib import import_module

from idp import heap, logs, measures
from idp.app import create_app
from idp.clock import SteadyClock
from idp.config import load_settings
from idp.worker import Upkeep

heap.share()
settings = load_settings()
logs.configure(settings.log_level)
if settings.metrics:  # what is imported for them takes a while
    measures.listen(import_module("idp.exposition").Figures())
if settings.tracing:
    exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    measures.trace(import_module("idp.tracing").Tracer(exporter.OTLPSpanExporter()))
app = create_app(settings, clock=SteadyClock())
heap.loaded()
Upkeep(app.extensions["idp"], app.app_context).start()
