"""What is seen of a server: metrics for Prometheus, an access log, spans of OpenTelemetry."""

from shiplap.engineer.deploy.serve.seen.gathered import Gathered, Page
from shiplap.engineer.deploy.serve.seen.watch import Watch

__all__ = ["Gathered", "Page", "Watch"]
