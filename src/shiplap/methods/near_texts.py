"""Texts that are nearly each other: resemblance of their pieces, by MinHash and locality-sensitive hashing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["SHORTEST", "NearTexts", "near_texts"]

SHORTEST = 8
"""Characters of a piece; shorter texts resemble none."""
_BANDS, _ROWS = 8, 4
_COLUMNS = 2**31 - 1
_BASE, _MIX = np.uint64(1_000_003), np.uint64(0x9E3779B97F4A7C15)
_SLACK = 0.25
_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class NearTexts:
    """Pairs of texts that resemble each other.

    Parameters
    ----------
    pairs : numpy.ndarray of int64, shape (n_pairs, 2)
        Places of both, the lower first; those that link a group, not all pairs in it.
    resemblance : numpy.ndarray of float64, shape (n_pairs,)
        Share of pieces that both have among those that one has, 0 to 1.
    """

    pairs: npt.NDArray[np.int64]
    resemblance: npt.NDArray[np.float64]


def near_texts(texts: Sequence[str], *, least: float = 0.8, seed: int = 0) -> NearTexts:
    """Find texts whose pieces of 8 characters are mostly the same, in time that grows with their length alone.

    Candidates agree in one of 8 bands of 4 minimal hashes: of pairs with a resemblance of 0.8, 98 of 100 do, of those
    with 0.9 all but 2 of 10,000. The resemblance of candidates is then counted over all their pieces.

    Parameters
    ----------
    texts : sequence of str
        What to compare, each once.
    least : float
        Resemblance from which on texts are returned, at least 0.5.
    seed : int
        Seed of the hashes.

    References
    ----------
    Broder (1997), On the resemblance and containment of documents. Leskovec, Rajaraman and Ullman, Mining of Massive
    Datasets, chapter 3 (bands).

    Examples
    --------
    >>> found = near_texts(["the parcel came late again", "nothing else", "the parcel came late again!"])
    >>> found.pairs.tolist(), found.resemblance.round(2).tolist()
    ([[0, 2]], [0.95])
    """
    long = np.array([place for place, text in enumerate(texts) if len(text) >= SHORTEST], np.int64)
    if len(long) < 2:
        return NearTexts(np.empty((0, 2), np.int64), np.empty(0))
    pieces = _pieces([texts[place] for place in long])
    signatures = _signatures(pieces, np.random.default_rng(seed))
    candidates = _candidates(signatures)
    agreeing = (signatures[candidates[:, 0]] == signatures[candidates[:, 1]]).mean(axis=1)
    candidates = candidates[agreeing >= least - _SLACK]
    resemblance = _resemblance(pieces, candidates)
    near = resemblance >= least
    return NearTexts(long[candidates[near]], resemblance[near])


def _pieces(texts: list[str]) -> Any:
    """Return which pieces each text has, as a sparse matrix of ones; a piece is known by its polynomial hash."""
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    n = len(letters) - SHORTEST + 1
    hashed = np.zeros(n, np.uint64)
    for place in range(SHORTEST):
        hashed = hashed * _BASE + letters[place : place + n]
    columns = ((hashed * _MIX) >> np.uint64(32)) % np.uint64(_COLUMNS)
    owner = np.repeat(np.arange(len(texts)), lengths)[:n]
    inside = np.arange(n) + SHORTEST <= np.cumsum(lengths)[owner]
    ones = np.ones(int(inside.sum()), np.int32)
    found = sparse.csr_matrix(
        (ones, (owner[inside], columns[inside].astype(np.int32))), shape=(len(texts), _COLUMNS), dtype=np.int32
    )
    found.sum_duplicates()
    found.data[:] = 1
    return found


def _signatures(pieces: Any, rng: np.random.Generator) -> npt.NDArray[np.uint32]:
    """Return the least of each of several hashes over the pieces of every text, shape (n_texts, n_hashes)."""
    known = pieces.indices.astype(np.uint64)
    starts = pieces.indptr[:-1]
    found = np.empty((pieces.shape[0], _BANDS * _ROWS), np.uint32)
    for place in range(found.shape[1]):
        factor, shift = rng.integers(0, 2**64, 2, np.uint64)
        hashed = (known * (factor | np.uint64(1)) + shift) >> np.uint64(32)  # multiply-shift, Dietzfelbinger (1997)
        found[:, place] = np.minimum.reduceat(hashed.astype(np.uint32), starts)
    return found


def _candidates(signatures: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Return pairs that agree in a band: each text with the first and with the one before it of those that do."""
    pairs = [np.empty((0, 2), np.int64)]
    for band in range(_BANDS):
        keys = np.ascontiguousarray(signatures[:, band * _ROWS : (band + 1) * _ROWS]).view(f"V{4 * _ROWS}").ravel()
        _, bucket = np.unique(keys, return_inverse=True)
        order = np.argsort(bucket, kind="stable")
        starts = np.flatnonzero(np.diff(bucket[order], prepend=-1))
        first = np.repeat(order[starts], np.diff(starts, append=len(order)))
        again = np.flatnonzero(first != order)
        pairs += [np.stack([first[again], order[again]], axis=1), np.stack([order[again - 1], order[again]], axis=1)]
    return np.unique(np.concatenate(pairs), axis=0)


def _resemblance(pieces: Any, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Count the share of pieces that both have among those that one has."""
    sizes = np.diff(pieces.indptr)
    found = [np.empty(0)]
    for start in range(0, len(pairs), _AT_ONCE):
        left, right = pairs[start : start + _AT_ONCE].T
        shared = np.asarray(pieces[left].multiply(pieces[right]).sum(axis=1)).ravel()
        found.append(shared / (sizes[left] + sizes[right] - shared))
    return np.concatenate(found)
