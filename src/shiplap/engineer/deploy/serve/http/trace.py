"""`TraceParent`: which trace a request belongs to, as its client says (W3C Trace Context)."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["TraceParent", "parse_traceparent"]

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_SAMPLED = 1


class TraceParent(NamedTuple):
    """The header ``traceparent``.

    Parameters
    ----------
    trace_id : str
        32 hexadecimal digits.
    span_id : str
        16 hexadecimal digits: the client's own span, the parent of ours.
    sampled : bool
        Whether the client records its part of the trace.
    """

    trace_id: str
    span_id: str
    sampled: bool


def parse_traceparent(text: str) -> TraceParent | None:
    """Read the header; None where it is not valid, for then it is to be ignored.

    Of versions that are not known yet, what version 00 defines is read.

    Parameters
    ----------
    text : str
        The value of the header.

    References
    ----------
    https://www.w3.org/TR/trace-context/#traceparent-header

    Examples
    --------
    >>> parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").sampled
    True
    >>> parse_traceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01") is None
    True
    """
    found = _FORM.fullmatch(text.strip(" \t"))
    if found is None:
        return None
    version, trace_id, span_id, flags, further = found.groups()
    if version == "ff" or (version == "00" and further) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return TraceParent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))
