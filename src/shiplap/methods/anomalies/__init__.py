"""Rows that do not look like the rest: how odd each is, which are odder than chance explains, and by which columns."""

from shiplap.methods.anomalies.detector import Detector
from shiplap.methods.anomalies.reasons import Reason, reasons
from shiplap.methods.anomalies.tail import tail_probability

__all__ = ["Detector", "Reason", "reasons", "tail_probability"]
