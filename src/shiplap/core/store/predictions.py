"""`Predictions`: what is remembered of models in service: samples, windows of sketches, and outcomes."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from shiplap.core.errors import StoreError
from shiplap.core.prediction import Outcome, Prediction, ServedModel, Window
from shiplap.core.store.digests import digest_of_bytes
from shiplap.core.store.ledger import Ledger
from shiplap.core.store.outcomes import Told, row_id, tell

__all__ = ["Predictions"]

_SCHEMA = """
CREATE TABLE models (
    seq INTEGER PRIMARY KEY, name TEXT NOT NULL, ship TEXT NOT NULL, known TEXT NOT NULL, UNIQUE (name, ship)
);
CREATE TABLE windows (
    model INTEGER NOT NULL REFERENCES models (seq), start REAL NOT NULL, seconds REAL NOT NULL, worker TEXT NOT NULL,
    rows INTEGER NOT NULL, dropped INTEGER NOT NULL, traffic BLOB NOT NULL,
    PRIMARY KEY (model, start, seconds, worker)
);
CREATE TABLE records (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, model INTEGER NOT NULL REFERENCES models (seq), at REAL NOT NULL,
    share REAL NOT NULL, input TEXT NOT NULL, left_out TEXT NOT NULL, outputs TEXT NOT NULL, label TEXT NOT NULL,
    decision TEXT NOT NULL, UNIQUE (id, model)
);
CREATE INDEX records_by_time ON records (at);
CREATE TABLE outcomes (
    seq INTEGER PRIMARY KEY, model TEXT NOT NULL, id TEXT NOT NULL, outcome TEXT NOT NULL, at REAL, told REAL NOT NULL
);
CREATE INDEX outcomes_by_id ON outcomes (model, id);
CREATE INDEX outcomes_by_time ON outcomes (told);
CREATE TABLE forgotten (digest TEXT PRIMARY KEY, at REAL NOT NULL)
"""
_WINDOW = """
INSERT OR REPLACE INTO windows VALUES ((SELECT seq FROM models WHERE name = ? AND ship = ?), ?, ?, ?, ?, ?, ?)
"""
_RECORD = """
INSERT OR REPLACE INTO records (model, id, at, share, input, left_out, outputs, label, decision)
VALUES ((SELECT seq FROM models WHERE name = ? AND ship = ?), ?, ?, ?, ?, ?, ?, ?, ?)
"""
_ROWS = """
SELECT r.id, m.name, m.ship, r.at, r.share, r.input, r.left_out, r.outputs, r.label, r.decision,
    o.outcome, coalesce(o.at, o.told), o.told
FROM records r JOIN models m ON m.seq = r.model
LEFT JOIN outcomes o ON o.seq = (SELECT max(seq) FROM outcomes WHERE model = m.name AND id = r.id)
WHERE m.name = ? AND r.at >= ? AND r.at < ? ORDER BY r.at DESC, r.seq DESC LIMIT ?
"""
_TOLD = """
SELECT id, outcome, coalesce(at, told), told FROM outcomes
WHERE model = ? AND (? IS NULL OR id = ?) AND told >= ? ORDER BY seq
"""
_OUTCOMES_A_RECORD = 10
_encode: Callable[[Any], bytes] = msgspec.json.Encoder(enc_hook=str).encode


class Predictions:
    """Records of predictions, in a file of their own beside the ledger: they are many, and some are to be forgotten.

    Several threads and processes may write and read at a time; what a call has returned is on the disk.

    Parameters
    ----------
    folder : Path
        The store's folder.

    Examples
    --------
    >>> import tempfile
    >>> predictions = Predictions(Path(tempfile.mkdtemp()))
    >>> model = ServedModel(name="churn", ship="ab12", task="binary", classes=("no", "yes"))
    >>> seen = Prediction(id="7", model="churn", ship="ab12", at=1.7e9, share=0.01, row={"age": 41}, label="yes")
    >>> predictions.write(models=[model], predictions=[seen])
    >>> predictions.tell("churn", [Outcome(id="7", outcome="no")]).joined
    1
    >>> [(each.row, each.label, each.outcome) for each in predictions.rows("churn", since=1.6e9)]
    [({'age': 41}, 'yes', 'no')]
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opening = threading.Lock()
        self._opened: Ledger | None = None

    @property
    def _ledger(self) -> Ledger:
        with self._opening:  # made when it is first needed: most projects serve nothing
            if self._opened is None:
                self._opened = Ledger(self._folder, name="predictions", schema=_SCHEMA)
            return self._opened

    def write(
        self,
        *,
        models: Iterable[ServedModel] = (),
        windows: Iterable[Window] = (),
        predictions: Sequence[Prediction] = (),
    ) -> None:
        """Write down samples and windows, in one transaction.

        A window of the same model, time and worker is written over, and so is a prediction of the same id and model.
        What was forgotten is not written again.

        Raises
        ------
        StoreError
            It cannot be written, or one of them is of a model that is not known.
        """
        known = [(model.name, model.ship, _encode(model).decode()) for model in models]
        counted = [(w.model, w.ship, w.start, w.seconds, w.worker, w.rows, w.dropped, w.traffic) for w in windows]
        with self._ledger.writing() as db:
            db.executemany("INSERT OR IGNORE INTO models (name, ship, known) VALUES (?, ?, ?)", known)
            db.executemany(_WINDOW, counted)
            gone = _forgotten(db, [each.id for each in predictions])
            db.executemany(_RECORD, [_record(each) for each in predictions if each.id not in gone])

    def tell(self, model: str, outcomes: Sequence[Outcome]) -> Told:
        """Write down what truly came, all or nothing.

        Parameters
        ----------
        model : str
            The name under which the rows were answered.
        outcomes : sequence of Outcome
            One told before is not written again; another value for the same id is a correction, and both are kept.
        """
        with self._ledger.writing() as db:
            gone = _forgotten(db, [each.id for each in outcomes])
            return tell(db, model, [each for each in outcomes if each.id not in gone])

    def rows(self, model: str, *, since: float = 0.0, until: float | None = None, limit: int = -1) -> list[Prediction]:
        """Return the samples of a model, all its ships, by time; each with its outcome where one was told.

        Parameters
        ----------
        model : str
            The name under which it is served.
        since, until : float
            Seconds since 1970; `until` itself is left out.
        limit : int
            How many at most, the latest; below 0 all.
        """
        found = self._ledger.read(_ROWS, (model, since, _end(until), limit))
        return [_prediction(row) for row in reversed(found)]

    def outcomes(self, model: str, *, of: str | None = None, since: float = 0.0) -> list[Outcome]:
        """Return all that was told of a model, or of one row of it, as it was told: corrections come after.

        Parameters
        ----------
        model : str
            The name under which it is served.
        of : str, optional
            Id of one row.
        since : float
            Told then or later, in seconds since 1970.
        """
        row = None if of is None else row_id(of)
        found = self._ledger.read(_TOLD, (model, row, row, since))
        return [Outcome(id=key, outcome=msgspec.json.decode(o), at=at, told_at=told) for key, o, at, told in found]

    def windows(self, model: str, *, since: float = 0.0, until: float | None = None) -> list[Window]:
        """Return the windows of a model that start in a stretch of time, by time; one for each ship and worker."""
        found = self._ledger.read(
            "SELECT m.name, m.ship, w.start, w.seconds, w.rows, w.dropped, w.traffic, w.worker "
            "FROM windows w JOIN models m ON m.seq = w.model WHERE m.name = ? AND w.start >= ? AND w.start < ? "
            "ORDER BY w.start, m.seq, w.worker",
            (model, since, _end(until)),
        )
        return [Window(**dict(zip(Window.__struct_fields__, row, strict=True))) for row in found]

    def models(self) -> list[ServedModel]:
        """Return every model that was ever recorded, in the order in which they came."""
        found = self._ledger.read("SELECT known FROM models ORDER BY seq")
        return [msgspec.json.decode(known, type=ServedModel) for (known,) in found]

    def forget(self, ids: Iterable[str]) -> int:
        """Delete samples and outcomes by id, and return how many; what comes later under these ids is not written.

        The id of a request stands for all its rows. Only the digest of an id stays, as a tombstone; sketches, which
        hold no ids, stay as they are.
        """
        chosen, now = {row_id(each) for each in ids}, time.time()
        with self._ledger.writing() as db:
            db.execute("PRAGMA secure_delete = ON")
            db.executemany("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", [(_digest(each), now) for each in chosen])
            ranges = [(each, f"{each}/", f"{each}0") for each in chosen]  # "0" comes after "/"
            gone = 0
            for table in ("records", "outcomes"):
                erased = db.executemany(f"DELETE FROM {table} WHERE id = ? OR (id > ? AND id < ?)", ranges)  # noqa: S608
                gone += erased.rowcount
        self._ledger.wipe_log()
        return gone

    def prune(self, *, most: int, since: float, windows_since: float) -> None:
        """Delete what is old.

        Parameters
        ----------
        most : int
            Samples that are kept at most, the latest.
        since, windows_since : float
            Samples and outcomes from before, and windows from before, are deleted; seconds since 1970.
        """
        with self._ledger.writing() as db:
            db.execute("PRAGMA secure_delete = ON")
            db.execute("DELETE FROM records WHERE at < ?", (since,))
            db.execute("DELETE FROM records WHERE seq <= (SELECT max(seq) FROM records) - ?", (most,))
            db.execute("DELETE FROM outcomes WHERE told < ?", (since,))
            kept = most * _OUTCOMES_A_RECORD
            db.execute("DELETE FROM outcomes WHERE seq <= (SELECT max(seq) FROM outcomes) - ?", (kept,))
            db.execute("DELETE FROM windows WHERE start < ?", (windows_since,))

    def roll_up(self, *, seconds: float, before: float, merge: Callable[[Iterable[bytes]], bytes]) -> int:
        """Put shorter windows together into longer ones, over all workers, and return how many longer ones were made.

        Parameters
        ----------
        seconds : float
            Length of the longer ones; they start at its multiples.
        before : float
            Only those are made that end before; seconds since 1970.
        merge : callable
            Adds up the traffic of several: ``shiplap.methods.traffic.merge_packed``.
        """
        end = before // seconds * seconds
        made = 0
        while True:
            with self._ledger.writing() as db:
                oldest = db.execute(
                    "SELECT model, start FROM windows WHERE seconds < ? AND start < ? ORDER BY start LIMIT 1",
                    (seconds, end),
                ).fetchone()
                if oldest is None:
                    return made
                _put_together(db, oldest[0], oldest[1] // seconds * seconds, seconds, merge)
            made += 1

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        if self._opened is not None:
            self._opened.close()


def _put_together(
    db: sqlite3.Connection, model: int, start: float, seconds: float, merge: Callable[[Iterable[bytes]], bytes]
) -> None:
    inside = (model, start, start + seconds, seconds)
    where = "WHERE model = ? AND start >= ? AND start < ? AND seconds <= ?"
    parts = db.execute(f"SELECT rows, dropped, traffic FROM windows {where}", inside).fetchall()  # noqa: S608
    rows, dropped, traffic = zip(*parts, strict=True)
    db.execute(f"DELETE FROM windows {where}", inside)  # noqa: S608
    whole = (model, start, seconds, "", sum(rows), sum(dropped), merge(traffic))
    db.execute("INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?)", whole)


def _forgotten(db: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Return those that were forgotten, by themselves or with their whole request."""
    if db.execute("SELECT 1 FROM forgotten LIMIT 1").fetchone() is None:
        return set()
    select = "SELECT 1 FROM forgotten WHERE digest IN (?, ?)"
    return {each for each in ids if db.execute(select, (_digest(each), _digest(_request(each)))).fetchone()}


def _request(key: str) -> str:
    request, slash, row = key.rpartition("/")
    return request if slash and row.isdecimal() else key


def _digest(key: str) -> str:
    return digest_of_bytes(key.encode())


def _end(until: float | None) -> float:
    return float("inf") if until is None else until


def _record(each: Prediction) -> tuple[Any, ...]:
    fields = (each.row, each.left_out, each.outputs, each.label, each.decision)
    texts = (_encode(field).decode() for field in fields)
    return (each.model, each.ship, row_id(each.id), each.at, each.share, *texts)


def _prediction(found: tuple[Any, ...]) -> Prediction:
    key, model, ship, at, share, row, left_out, outputs, label, decision, outcome, outcome_at, told_at = found
    try:
        return Prediction(
            id=key,
            model=model,
            ship=ship,
            at=at,
            share=share,
            row=msgspec.json.decode(row),
            left_out=msgspec.json.decode(left_out, type=tuple[str, ...]),
            outputs=msgspec.json.decode(outputs, type=tuple[float | None, ...]),
            label=msgspec.json.decode(label),
            decision=msgspec.json.decode(decision),
            outcome=None if outcome is None else msgspec.json.decode(outcome),
            outcome_at=outcome_at,
            told_at=told_at,
        )
    except msgspec.DecodeError as error:
        raise StoreError(f"the record of '{key}' cannot be read: {error}") from error
