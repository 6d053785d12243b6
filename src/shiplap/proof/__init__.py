"""Proof: a model lowered to encoder and graph, certified to answer as the original does, and timed."""

from shiplap.proof.certify import certify
from shiplap.proof.given import SAMPLE_ROWS, GivenRows, given_rows
from shiplap.proof.report import certificate_report
from shiplap.proof.rows import THRESHOLDS
from shiplap.proof.subject import Subject, lower, sample_frame
from shiplap.proof.synthetic import sendable
from shiplap.proof.timing import Timing, percentiles, time_calls, time_scorer

__all__ = [
    "SAMPLE_ROWS",
    "THRESHOLDS",
    "GivenRows",
    "Subject",
    "Timing",
    "certificate_report",
    "certify",
    "given_rows",
    "lower",
    "percentiles",
    "sample_frame",
    "sendable",
    "time_calls",
    "time_scorer",
]
