"""Outcomes in the store: what is new, what was known, what is corrected, and what belongs to a record."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence

import msgspec

from shiplap.core.prediction import Outcome

__all__ = ["Told", "row_id", "tell"]

# Each value is laid beside the one before it: in this batch, else in the store.
_CHAIN = """
SELECT told.id, told.outcome, told.at,
    coalesce(lag(told.outcome) OVER (PARTITION BY told.id ORDER BY told.place), (
        SELECT outcome FROM outcomes WHERE seq = (
            SELECT max(seq) FROM outcomes WHERE model = ? AND id = told.id
        )
    ))
FROM temp.told ORDER BY told.place
"""
_JOINED = """
SELECT count(DISTINCT told.id) FROM temp.told WHERE EXISTS (
    SELECT 1 FROM records JOIN models ON models.seq = records.model WHERE records.id = told.id AND models.name = ?
)
"""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of outcomes that were told.

    Parameters
    ----------
    new, known, corrected : int
        Values told for the first time, told before, and other than those told before.
    joined : int
        Rows among them that are kept as samples.
    """

    new: int
    known: int
    corrected: int
    joined: int


def tell(db: sqlite3.Connection, model: str, outcomes: Sequence[Outcome]) -> Told:
    """Write outcomes inside a transaction; `db` is the file of predictions."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS told (place INTEGER PRIMARY KEY, id TEXT, outcome TEXT, at REAL)")
    db.execute("DELETE FROM temp.told")
    values = [(row_id(each.id), msgspec.json.encode(each.outcome).decode(), each.at) for each in outcomes]
    db.executemany("INSERT INTO temp.told (id, outcome, at) VALUES (?, ?, ?)", values)
    chain = db.execute(_CHAIN, (model,)).fetchall()
    now = time.time()
    fresh = [(model, key, outcome, at, now) for key, outcome, at, before in chain if outcome != before]
    db.executemany("INSERT INTO outcomes (model, id, outcome, at, told) VALUES (?, ?, ?, ?, ?)", fresh)
    new = sum(before is None for *_, before in chain)
    joined = db.execute(_JOINED, (model,)).fetchone()[0]
    db.execute("DELETE FROM temp.told")
    return Told(new=new, known=len(chain) - len(fresh), corrected=len(fresh) - new, joined=joined)


def row_id(key: str) -> str:
    """Return the id under which a row is kept: the first row of a request goes by the id of the request alone.

    Examples
    --------
    >>> row_id("a7/0"), row_id("a7/1"), row_id("a7")
    ('a7', 'a7/1', 'a7')
    """
    return key.removesuffix("/0")
