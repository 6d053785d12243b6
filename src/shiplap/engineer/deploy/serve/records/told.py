"""Outcomes as clients send them: decoded, and held against what the model answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any

import msgspec

from shiplap.core.brief import Label
from shiplap.core.prediction import Outcome
from shiplap.core.signature import Signature
from shiplap.engineer.deploy.serve.bodies import (
    check_depth,
    decode_array,
    decode_error,
    piece_of_array,
    piece_of_lines,
    rest_of_array,
)
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.openapi import key_of
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["LATEST_S", "Truth", "read_outcomes"]

LATEST_S = 32_503_680_000.0
"""The year 3000: a larger number was meant as milliseconds."""
_SHOWN = 20
Raws = Sequence[bytes | msgspec.Raw]


class _Sent(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=160)]
    outcome: Any
    at: float | str | None = None


_decode = msgspec.json.Decoder(_Sent).decode


class Truth:
    """What can truly come of a row: one of the classes, a number, or as many numbers as the model answers.

    Parameters
    ----------
    signatures : sequence of Signature
        Of every version that is served; they may know different classes.

    Examples
    --------
    >>> truth = Truth([Signature(inputs=(), task="binary", classes=("no", "yes"))])
    >>> truth.checked("yes")
    'yes'
    >>> truth.checked("maybe")
    Traceback (most recent call last):
    shiplap.engineer.deploy.serve.problem.ProblemError: expected one of no, yes
    """

    def __init__(self, signatures: Sequence[Signature]) -> None:
        first = signatures[0]
        self._classes: dict[tuple[bool, Label], Label] = {
            _mark(label): label for each in signatures for label in each.classes
        }
        self._n_numbers = first.n_outputs if first.task == "tensor" else 1
        shown = [key_of(label) for label in self._classes.values()]
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        numbers = "a number" if self._n_numbers == 1 else f"a list of {self._n_numbers} numbers"
        self.expected = f"one of {', '.join(shown[:_SHOWN])}{more}" if shown else numbers

    def checked(self, outcome: Any) -> Any:
        """Return an outcome as the model would say it; raises ``ProblemError`` (422)."""
        if self._classes:
            if isinstance(outcome, str | int | float) and _mark(outcome) in self._classes:
                return self._classes[_mark(outcome)]
        elif self._n_numbers == 1 and _is_number(outcome):
            return float(outcome)
        elif isinstance(outcome, list) and len(outcome) == self._n_numbers and all(map(_is_number, outcome)):
            return list(map(float, outcome))
        raise ProblemError(
            422, f"expected {self.expected}", field="outcome", value=_shown(outcome), expected=self.expected
        )

    def schema(self) -> dict[str, Any]:
        """Return what an outcome is, as JSON schema."""
        if self._classes:
            return {"enum": list(self._classes.values())}
        number = {"type": "number"}
        if self._n_numbers == 1:
            return number
        return {"type": "array", "items": number, "minItems": self._n_numbers, "maxItems": self._n_numbers}


def read_outcomes(body: bytes, truth: Truth, limits: Limits, *, lines: bool) -> list[Outcome]:
    """Decode outcomes: one object, an array of them, or one a line; piece by piece, so that others may go between.

    Raises
    ------
    ProblemError
        400: it is not JSON. 413: there are too many. 422: it is JSON, but not outcomes of this model.
    """
    single = not lines and body.lstrip()[:1] != b"["
    pieces: Iterator[Raws] = iter([[body]]) if single else _lines(body) if lines else _array(body, limits.depth)
    found: list[Outcome] = []
    for raws in pieces:
        if len(found) + len(raws) > limits.rows:
            raise ProblemError(413, f"at most {limits.rows} outcomes are accepted in one request")
        for raw in raws:
            if isinstance(raw, bytes):
                check_depth(raw, limits.depth)
            found.append(_read(raw, truth, None if single else len(found)))
    return found


def _read(raw: bytes | msgspec.Raw, truth: Truth, row: int | None) -> Outcome:
    try:
        sent = _decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise decode_error(error, row) from error
    try:
        return Outcome(id=sent.id, outcome=truth.checked(sent.outcome), at=_moment(sent.at))
    except ProblemError as problem:
        raise problem if row is None else _placed(problem, row) from None


def _placed(problem: ProblemError, row: int) -> ProblemError:
    placed = ProblemError(problem.status, f"row {row}: {problem.message}", row=row)
    placed.members |= problem.members
    return placed


def _moment(at: float | str | None) -> float | None:
    """Return a moment in seconds since 1970; a text without a zone is UTC."""
    try:
        if isinstance(at, str):
            moment = datetime.fromisoformat(at)
            at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if at is None or 0 <= at <= LATEST_S:
            return at
    except (ValueError, OverflowError):
        pass
    expected = "ISO 8601 text, or seconds since 1970"
    raise ProblemError(422, f"expected a time as {expected}", field="at", value=at, expected=expected)


def _array(body: bytes, depth: int) -> Iterator[Raws]:
    start, going_on = 0, True
    while going_on:
        text, end = piece_of_array(body, start)
        try:
            raws = decode_array(text)
        except ProblemError:
            if not end:
                decode_array(body)  # says where
                raise
            text, end = rest_of_array(body, start), 0  # cut in the middle of a value
            raws = decode_array(text)
        check_depth(text, depth)
        yield raws
        start, going_on = end, bool(end)


def _lines(body: bytes) -> Iterator[Raws]:
    start, going_on = 0, True
    while going_on:
        lines, start = piece_of_lines(body, start)
        yield lines
        going_on = 0 < start < len(body)


def _mark(label: Label) -> tuple[bool, Label]:
    """Return what two labels have in common that mean the same: 1 and 1.0 do, 1 and true do not."""
    return isinstance(label, bool), label


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _shown(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) else msgspec.json.encode(value).decode()
