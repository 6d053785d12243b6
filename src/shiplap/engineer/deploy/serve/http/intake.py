"""`Intake`: the body of a request while it comes, held to the limits."""

from __future__ import annotations

from typing import Protocol

from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Intake", "Scale"]


class Scale(Protocol):
    """Where everything that is being received at one time is weighed."""

    limits: Limits
    receiving: int


class Intake:
    """Pieces of one body after another. However small they are, they take no more memory than their bytes.

    Parameters
    ----------
    scale : Scale
        The server.

    Attributes
    ----------
    size_bytes : int
        What has come of the body.
    """

    __slots__ = ("_first", "_further", "_scale", "size_bytes")

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._first = b""
        self._further = bytearray()
        self.size_bytes = 0

    def take(self, piece: bytes) -> None:
        """Take a piece.

        Raises
        ------
        ProblemError
            413: the body is too large. 503: too much is being received at one time.
        """
        scale = self._scale
        self.size_bytes += len(piece)
        scale.receiving += len(piece)
        if not self._first:
            self._first = piece
        else:
            self._further += piece
        if self.size_bytes > scale.limits.body_bytes:
            raise ProblemError(413, f"a body of at most {scale.limits.body_bytes} bytes is accepted")
        if scale.receiving > scale.limits.receiving_bytes:
            raise ProblemError(
                503, "too much is being received at once", headers={"Retry-After": "1"}, reason="receiving"
            )

    def whole(self) -> bytes:
        """Return the body, and be ready for the next."""
        body = self._first + self._further if self._further else self._first
        self.forget()
        return body

    def forget(self) -> None:
        """Throw away what has come."""
        if self.size_bytes:
            self._scale.receiving -= self.size_bytes
            self.size_bytes = 0
            self._first = b""
            self._further = bytearray()
