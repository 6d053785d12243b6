"""Every error Shiplap raises on purpose, in one tree.

::

    ShiplapError
    ├── InputError            exit 2: something that was given is not usable
    │   ├── BriefError        the question: shiplap.toml, keyword arguments
    │   ├── TableError        the rows: missing, empty, unreadable
    │   ├── RowError          one row that a scorer was asked to answer
    │   ├── ShipError         a ship file that is truncated, altered or not one
    │   ├── UntrustedError    a file that would run code when it is read
    │   └── MissingExtraError a verb needs a library that is not installed
    ├── RefusedError          exit 2: a model that cannot be lowered exactly
    ├── DoesNotHoldError      exit 1: what was checked does not hold
    └── StoreError            exit 2: the store cannot be read or written

A message says what was expected and what came; ``hint`` says what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "BriefError",
    "DoesNotHoldError",
    "InputError",
    "MissingExtraError",
    "RefusedError",
    "RowError",
    "ShipError",
    "ShiplapError",
    "StoreError",
    "TableError",
    "UntrustedError",
    "nearest",
]


class ShiplapError(Exception):
    """The root of the tree.

    Parameters
    ----------
    message : str
        One line: what was expected, and what came instead.
    hint : str, optional
        One line: what to do about it.

    Examples
    --------
    >>> str(ShiplapError("no file 'rows.csv'", hint="check the path"))
    "no file 'rows.csv' (check the path)"
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """Say in a notebook what the command line says: IPython shows these lines in place of a traceback."""
        return [f"{type(self).__name__}: {self.message}", *([f"hint: {self.hint}"] if self.hint else [])]


class InputError(ShiplapError):
    """Something that was given cannot be used."""


class BriefError(InputError):
    """The question is unclear: an unknown key, a value out of range, a target that is not there."""


class TableError(InputError):
    """The rows cannot be read, or there is nothing in them to work with."""


class RowError(InputError):
    """A row that a scorer cannot answer.

    Parameters
    ----------
    message : str
        What was expected and what came.
    row : int
        Position of the row in what was sent, from 0.
    column : str
        The column at fault; empty when the row as a whole is.
    hint : str, optional
        What to do.
    """

    def __init__(self, message: str, *, row: int = 0, column: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.row = row
        self.column = column


class ShipError(InputError):
    """A ship file that is truncated, altered, of an unknown format, or not a ship file."""


class UntrustedError(InputError):
    """A file that would run what it holds when it is read, and that nobody said to trust."""


class MissingExtraError(InputError):
    """A verb needs a library that the base install does not bring.

    Examples
    --------
    >>> str(MissingExtraError("reading Parquet", extra="lab"))
    'reading Parquet needs a library that is not installed (pip install "shiplap[lab]")'
    """

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(f"{what} needs a library that is not installed", hint=f'pip install "shiplap[{extra}]"')
        self.extra = extra


class RefusedError(ShiplapError):
    """A model, or a step of it, that cannot be lowered to encoder and graph without approximation."""


class DoesNotHoldError(ShiplapError):
    """A check was carried out and its answer is no: parity broken, vectors that do not replay."""

    exit_code = 1


class StoreError(ShiplapError):
    """The store cannot be read or written."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Say which of `choices` was probably meant, as a hint.

    Parameters
    ----------
    word : str
        What came.
    choices : iterable of str
        What there is.

    Returns
    -------
    str
        ``"did you mean 'churned'?"``, or the choices when none is near.

    Examples
    --------
    >>> nearest("churn", ["age", "churned"])
    "did you mean 'churned'?"
    >>> nearest("zzz", ["age", "churned"])
    'there are: age, churned'
    """
    import difflib  # noqa: PLC0415  (only when something went wrong)

    known = list(choices)
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{folded[close[0]]}'?"
    shown = ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
    return f"there are: {shown}" if known else "there are none"
