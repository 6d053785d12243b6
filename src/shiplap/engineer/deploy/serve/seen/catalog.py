"""`METRICS`: everything that is counted, with its name, its labels and what it says."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["METRICS", "Key", "Metric"]

Key = tuple[str, ...]
"""The name of a metric, and the values of its labels."""


class Metric(NamedTuple):
    """One metric.

    Parameters
    ----------
    name : str
        After the conventions of Prometheus: the unit, and ``_total`` where it only grows, at its end.
    kind : {"counter", "gauge", "histogram", "info"}
        What it is.
    labels : tuple of str
        Names of its labels.
    means : str
        One sentence.

    References
    ----------
    https://prometheus.io/docs/practices/naming/

    Examples
    --------
    >>> SHED.key("rows")
    ('shiplap_shed_total', 'rows')
    """

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    labels: tuple[str, ...]
    means: str

    def key(self, *values: str) -> Key:
        """Return the key of a value; there are as many label values as labels."""
        if len(values) != len(self.labels):
            raise ValueError(f"{self.name} has the labels {self.labels}, not {len(values)}")
        return (self.name, *values)


_MODEL = ("model", "version")
_ROUTE = (*_MODEL, "protocol")
_WORKER = ("worker",)

REQUESTS = Metric("shiplap_requests_total", "counter", (*_ROUTE, "status"), "Requests answered.")
SECONDS = Metric(
    "shiplap_request_duration_seconds",
    "histogram",
    _ROUTE,
    "From the last byte of a request to its answer, of those answered with 2xx.",
)
REQUEST_BYTES = Metric("shiplap_request_bytes_total", "counter", _ROUTE, "Bytes of the bodies of answered requests.")
RESPONSE_BYTES = Metric("shiplap_response_bytes_total", "counter", _ROUTE, "Bytes of the bodies of answers.")
ROWS = Metric("shiplap_rows_total", "counter", _ROUTE, "Rows answered.")
CALL_ROWS = Metric(
    "shiplap_call_rows",
    "histogram",
    _MODEL,
    "Rows of one call of the model, of the rows gathered in one turn of the loop.",
)
KEY_REQUESTS = Metric("shiplap_key_requests_total", "counter", ("key", "status"), "Requests answered, by API key.")
SHED = Metric("shiplap_shed_total", "counter", ("reason",), "Requests refused with 503, by what was full.")
SWAPS = Metric("shiplap_swaps_total", "counter", _WORKER, "Times that what is served was changed.")
WAITING_ROWS = Metric("shiplap_waiting_rows", "gauge", _MODEL, "Rows that wait for the next call of the model.")
WAITING_BATCHES = Metric("shiplap_waiting_batches", "gauge", _WORKER, "Long batches that wait or are being worked on.")
CONNECTIONS = Metric("shiplap_open_connections", "gauge", _WORKER, "Open connections.")
RECEIVING = Metric("shiplap_receiving_bytes", "gauge", _WORKER, "Bytes of bodies that are being received.")
LAG = Metric("shiplap_loop_lag_seconds", "histogram", _WORKER, "How late a timer of the event loop comes.")
LOG_LOST = Metric("shiplap_access_log_lost_total", "counter", _WORKER, "Lines of the access log that were not written.")
RECORD_LOST = Metric("shiplap_record_lost_total", "counter", _WORKER, "Rows left out of the record of predictions.")
SPANS_SENT = Metric("shiplap_spans_sent_total", "counter", _WORKER, "Spans that the OpenTelemetry collector took.")
SPANS_LOST = Metric("shiplap_spans_lost_total", "counter", _WORKER, "Spans that it did not take, or not fast enough.")
CPU = Metric("process_cpu_seconds_total", "counter", _WORKER, "Processor time, user and system.")
MEMORY = Metric("process_resident_memory_bytes", "gauge", _WORKER, "Resident memory.")
STARTED = Metric("process_start_time_seconds", "gauge", _WORKER, "When the process was started, since 1970.")
WORKERS = Metric("shiplap_workers", "gauge", (), "Worker processes that were heard.")
BUILD = Metric("shiplap_build_info", "info", ("version", "python"), "The version of Shiplap, and of Python.")
SHIPS = Metric("shiplap_model_info", "info", (*_MODEL, "ship"), "What is served: the id of the ship of each version.")

METRICS = (
    *(REQUESTS, SECONDS, REQUEST_BYTES, RESPONSE_BYTES, ROWS, CALL_ROWS, KEY_REQUESTS, SHED, SWAPS),
    *(WAITING_ROWS, WAITING_BATCHES, CONNECTIONS, RECEIVING, LAG, LOG_LOST, RECORD_LOST, SPANS_SENT, SPANS_LOST),
    *(CPU, MEMORY, STARTED, WORKERS, BUILD, SHIPS),
)
