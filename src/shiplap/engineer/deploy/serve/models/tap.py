"""`Tap`: sees what passes by: rows, encoded and answered. `Asker`: who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Asker", "Passed", "Tap"]

Matrix = NDArray[np.float64]
Row = Mapping[str, object]
_row = msgspec.json.Decoder(dict[str, Any])


class Asker(Protocol):
    """What models know of a request: its number, id and rows, whether anybody still listens, and how it is refused."""

    number: int
    rows: int
    first: int
    """Place, among its rows, of the first that is worked on now."""

    @property
    def id(self) -> str:
        """The id that the answer carries."""
        ...

    @property
    def gone(self) -> bool:
        """Whether nobody is left to read the answer."""
        ...

    def refuse(self, problem: ProblemError) -> None:
        """Answer with a problem."""
        ...

    def settle(self, error: BaseException) -> None:
        """Answer with whatever `error` means to a client."""
        ...


class Tap(Protocol):
    """Something that looks on while a ship answers: quick and safe among threads, for work belongs elsewhere."""

    def take(
        self, askers: Sequence[Asker], rows: Sequence[Mapping[str, object]], encoded: Matrix, outputs: Matrix
    ) -> None:
        """See rows that were answered.

        Parameters
        ----------
        askers : sequence of Asker
            Who asked for each row; a request of many rows stands there as often.
        rows : sequence of mapping
            The rows as they came.
        encoded : ndarray of float64, shape (n_rows, width)
            What the graph was given; overwritten after the call returns.
        outputs : ndarray of float64, shape (n_rows, n_outputs)
            What it gave.
        """
        ...


class Passed(Sequence[Row]):
    """Rows as they came; one that came as JSON is decoded when somebody looks at it.

    Parameters
    ----------
    rows : sequence of mapping, bytes or Raw
        The rows; bytes hold a JSON object.

    Examples
    --------
    >>> Passed([b'{"age": 41}', {"age": 42}])[0]
    {'age': 41}
    """

    def __init__(self, rows: Sequence[Row | bytes | msgspec.Raw]) -> None:
        self._rows = rows

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, slice):
            return Passed(self._rows[place])
        row = self._rows[place]
        return cast("Row", _row.decode(row)) if isinstance(row, bytes | msgspec.Raw) else row

    def __len__(self) -> int:
        return len(self._rows)
