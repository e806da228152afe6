"""An agent whose calls an OpenTelemetry library tells of, as libraries come."""

import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

provider = MeterProvider(metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter())])
meter = provider.get_meter("agent")
seconds = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
tokens = meter.create_histogram("gen_ai.client.token.usage", unit="{token}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/call":
            seconds.record(0.25, {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
            tokens.record(120, {"gen_ai.operation.name": "chat", "gen_ai.token.type": "input"})
            tokens.record(30, {"gen_ai.operation.name": "chat", "gen_ai.token.type": "output"})
            tool = {"gen_ai.operation.name": "execute_tool"}
            seconds.record(0.05, tool)
            seconds.record(0.05, tool | {"error.type": "timeout"})
            provider.force_flush()
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
provider.shutdown()
