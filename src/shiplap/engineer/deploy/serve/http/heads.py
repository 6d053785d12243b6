"""From what the HTTP parser saw to a `Head`, with everything about it that can be wrong."""

from __future__ import annotations

import re
from urllib.parse import unquote

import httptools

from shiplap.engineer.deploy.serve.http.codings import CODINGS, Press, takes_gzip
from shiplap.engineer.deploy.serve.http.exchange import Head
from shiplap.engineer.deploy.serve.http.hooks import Guard
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["make_head"]

Raw = list[tuple[bytes, bytes]]
_HOST = re.compile(r"([\w.~!$&'()*+,;=%-]*|\[[\w:.%-]+\])(:[0-9]*)?", re.ASCII)


def make_head(
    parser: httptools.HttpRequestParser,
    target: bytes,
    raw: Raw,
    *,
    routes: Routes,
    limits: Limits,
    press: Press,
    guard: Guard | None = None,
) -> Head:
    """Check the start of a request and say who answers it.

    Raises
    ------
    ProblemError
        400 a malformed target, ``Host`` or framing, 401 nobody who may ask, 413 a body that is announced too large,
        415 a coding that is not known, 417 an unknown expectation, 431 headers too large, 501 an unknown transfer
        coding, 505 another version of HTTP.
    """
    if len(target) + sum(len(name) + len(value) + 4 for name, value in raw) > limits.header_bytes:
        raise ProblemError(431, f"headers of at most {limits.header_bytes} bytes are accepted")
    version = parser.get_http_version()
    if version not in {"1.0", "1.1"}:
        raise ProblemError(505, f"HTTP/1.1 and HTTP/1.0 are spoken here, not HTTP/{version}")
    headers = _folded(raw)
    _check_host(headers, version)
    _check_framing(headers, version)
    if headers.get("expect", "100-continue").lower() != "100-continue":
        raise ProblemError(
            417, "the only expectation that can be met is 100-continue", field="Expect", value=headers["expect"]
        )
    coding = headers.get("content-encoding", "identity").lower()
    if coding != "identity" and coding not in CODINGS:
        known = "gzip, deflate"
        raise ProblemError(
            415,
            f"a body may be compressed by {known}",
            headers={"Accept-Encoding": known},
            field="Content-Encoding",
            value=coding,
            expected=known,
        )
    length = -1 if "transfer-encoding" in headers else int(headers.get("content-length", "0"))
    if length > limits.body_bytes:
        raise ProblemError(413, f"a body of at most {limits.body_bytes} bytes is accepted", value=length)
    method = parser.get_method().decode("ascii")
    path, query = _split(target)
    key = None if guard is None else guard.authorize(headers, path)
    route, parameters = routes.find(method, path)
    if coding != "identity":
        route = route._replace(handler=press.opened(route.handler, coding))
    keep = parser.should_keep_alive()
    usual = method != "HEAD" and "x-request-id" not in headers
    plain = keep and version == "1.1" and usual
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    start = (method, path, query, headers, tuple(raw), version)
    gzip = takes_gzip(headers.get("accept-encoding", ""))
    return Head(*start, keep, length, media_type, route, parameters, plain, key, gzip)


def _check_host(headers: dict[str, str], version: str) -> None:
    host = headers.get("host")
    if host is None and version == "1.1":
        raise ProblemError(400, "an HTTP/1.1 request has exactly one Host header", field="Host")
    if host is not None and not _HOST.fullmatch(host):  # of two, there is a blank between
        expected = "a name, or a name and a port"
        raise ProblemError(400, f"one Host header is expected, {expected}", field="Host", value=host, expected=expected)


def _check_framing(headers: dict[str, str], version: str) -> None:
    """Refuse what a proxy before us may have understood otherwise (RFC 9112, 6.1); the parser did most of it."""
    coding = headers.get("transfer-encoding")
    if coding is None:
        return
    if version == "1.0":
        raise ProblemError(400, "HTTP/1.0 knows no Transfer-Encoding", field="Transfer-Encoding", value=coding)
    *others, last = (part.strip().lower() for part in coding.split(","))
    field, value = "Transfer-Encoding", coding
    if last != "chunked":
        raise ProblemError(400, "the last transfer coding is expected to be chunked", field=field, value=value)
    if others:
        raise ProblemError(501, "the only transfer coding known here is chunked", field=field, value=value)


def _folded(raw: Raw) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _split(target: bytes) -> tuple[str, str]:
    if target == b"*":
        return "*", ""
    try:
        url = httptools.parse_url(target)
        path = unquote((url.path or b"/").decode("ascii"), errors="strict")
        return path, (url.query or b"").decode("ascii")
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError) as error:
        shown = target.decode("latin-1")
        raise ProblemError(400, "the request target is not a valid path", value=shown) from error
