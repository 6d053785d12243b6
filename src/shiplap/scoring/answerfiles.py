"""Answers into files, a batch at a time: CSV, TSV and JSON lines here; the rest by the frames adapter."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from shiplap.core.atomic import replacing
from shiplap.core.errors import MissingExtraError
from shiplap.core.registry import Registry

__all__ = ["AnswerWriter", "answer_writers", "writing"]


class AnswerWriter(Protocol):
    """Takes answers in order."""

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Write some rows; every call has the same columns."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


answer_writers: Registry[Callable[[Path], AnswerWriter]] = Registry("answer writer", group="shiplap.answer_writers")
"""Classes ``(path) -> writer`` for what the base install cannot write."""
answer_writers.add_lazy("table", "shiplap.adapters.frames:BatchWriter", extra="lab")


@contextmanager
def writing(out: Path) -> Iterator[AnswerWriter]:
    """Give a writer; the file is there, whole, when the block ends well, and not at all when it does not.

    Parameters
    ----------
    out : Path
        The file; its name's end says which format: ``.csv``, ``.tsv``, ``.jsonl`` or ``.ndjson``, each also with
        ``.gz``, or one that the frames adapter writes.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    MissingExtraError
        The format needs a library that is not installed.
    """
    kind = out.name.casefold().removesuffix(".gz").rpartition(".")[2]
    if kind in {"csv", "tsv", "jsonl", "ndjson"}:
        with replacing(out) as part, _opened(part, packed=out.suffix.casefold() == ".gz") as file:
            yield _Lines(file) if kind in {"jsonl", "ndjson"} else _Cells(file, "\t" if kind == "tsv" else ",")
        return
    try:
        make = answer_writers.get("table")
    except MissingExtraError as error:
        raise MissingExtraError(f"writing '{out.name}'", extra=error.extra) from error
    with replacing(out) as part:
        writer = make(part)
        try:
            yield writer
        finally:
            writer.close()


@contextmanager
def _opened(part: Path, *, packed: bool) -> Iterator[io.BufferedIOBase]:
    with part.open("wb") as raw:
        if packed:
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
                yield file
        else:
            yield raw


class _Cells:
    """CSV: numbers to the last digit, booleans as ``true`` and ``false``, nothing for a missing value."""

    def __init__(self, file: io.BufferedIOBase, delimiter: str) -> None:
        self._file = file
        self._delimiter = delimiter
        self._started = False

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self._delimiter, lineterminator="\n")
        if not self._started:
            writer.writerow(columns)
            self._started = True
        writer.writerows(zip(*map(_cells, columns.values()), strict=True))
        self._file.write(text.getvalue().encode())

    def close(self) -> None:
        self._file.flush()


class _Lines:
    """JSON lines."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file = file
        self._encode = msgspec.json.Encoder(enc_hook=str).encode_lines

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        names = list(columns)
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        self._file.write(self._encode(rows))

    def close(self) -> None:
        self._file.flush()


def _cells(values: Sequence[Any]) -> Sequence[Any]:
    if not any(isinstance(value, bool) for value in values[:1]) and bool not in set(map(type, values)):
        return values
    return [("true" if value else "false") if isinstance(value, bool) else value for value in values]
