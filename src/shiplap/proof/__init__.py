"""Proof: a model lowered to encoder and graph, certified to answer as the original does, and timed."""

from shiplap.proof.certify import certify
from shiplap.proof.report import certificate_report
from shiplap.proof.rows import THRESHOLDS
from shiplap.proof.subject import SAMPLE_ROWS, Subject, lower, sample_frame
from shiplap.proof.synthetic import sendable
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
    "sample_frame",
    "sendable",
    "time_calls",
    "time_scorer",
]
