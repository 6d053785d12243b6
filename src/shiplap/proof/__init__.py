"""Proof: a model lowered to encoder and graph, certified to answer as the original does, and timed."""

from shiplap.proof.certify import certify
from shiplap.proof.report import certificate_report
from shiplap.proof.rows import THRESHOLDS
from shiplap.proof.subject import SAMPLE_ROWS, Subject, lower
from shiplap.proof.timing import Timing, percentiles, time_calls, time_scorer

__all__ = [
    "SAMPLE_ROWS",
    "THRESHOLDS",
    "Subject",
    "Timing",
    "certificate_report",
    "certify",
    "lower",
    "percentiles",
    "time_calls",
    "time_scorer",
]
