"""A child process for what cannot be trusted: no network, no writing outside, no other program, limits on all else."""

from shiplap.core.sandbox.confine import Limits, unsupported
from shiplap.core.sandbox.parent import run_confined

__all__ = ["Limits", "run_confined", "unsupported"]
