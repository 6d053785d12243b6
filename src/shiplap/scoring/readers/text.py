"""Texts: their tokens counted, over a vocabulary or over hashed places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.encoding import Text
from shiplap.scoring.readers.murmur import murmur3
from shiplap.scoring.values import UnreadableError, is_missing, number_of

__all__ = ["TextReader", "token_expression"]

_CHARACTERS = {
    "word": r"\w",
    "letter": r"[^\W\d_]",
    "ascii_word": "[a-zA-Z0-9_]",
    "ascii_letter_digit": "[a-zA-Z0-9]",
    "ascii_lower_digit": "[a-z0-9]",
    "ascii_letter": "[a-zA-Z]",
    "ascii_lower": "[a-z]",
    "not_space": r"\S",
}
"""What a token is made of: the only expressions that are ever run, chosen by name."""

_SPACES = re.compile(r"\s\s+")
_REMEMBERED, _LONGEST_REMEMBERED = 65_536, 64
_WHOLE, _DIGITS = 2**53, 2**64


class TextReader:
    """Counts the tokens of texts.

    Parameters
    ----------
    operation : Text
        What a token is, and which are counted.

    Examples
    --------
    >>> reader = TextReader(Text(column="note", vocabulary=("call", "free", "now")))
    >>> reader.one("Call NOW, call free!"), reader.one(None)
    ((2.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    """

    def __init__(self, operation: Text) -> None:
        self.column = operation.column
        self.width = operation.width
        self._binary = operation.binary
        self._markers = frozenset(operation.missing)
        self._tokens = _tokenizer(operation)
        self._places = {token: place for place, token in enumerate(operation.vocabulary)}
        self._hashed = None if operation.vocabulary else _hashed(operation.n_features, operation.alternate_sign)
        self._kept = {place: index for index, place in enumerate(operation.places)}
        self._rest = operation.rest

    def one(self, value: object) -> tuple[float, ...]:
        """Return the counts of one value; raises ``UnreadableError``."""
        return tuple(self.flat(value).tolist())

    def flat(self, value: object) -> NDArray[np.float64]:
        """Return the counts of one value, shape (width,); raises ``UnreadableError``."""
        out = np.zeros(self.width)
        counts = self._counts(value)
        if counts:
            out[list(counts)] = list(counts.values())
        return out

    def many(self, values: Sequence[object]) -> NDArray[np.float64]:
        """Return the counts of Python values, shape (n_rows, width); raises ``UnreadableError``."""
        out = np.zeros((len(values), self.width))
        rows: list[int] = []
        places: list[int] = []
        found: list[float] = []
        for row, value in enumerate(values):
            counts = self._counts(value)
            rows.extend([row] * len(counts))
            places.extend(counts)
            found.extend(counts.values())
        out[rows, places] = found
        return out

    def array(self, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return None: numbers are read one by one."""
        del values
        return None

    def _counts(self, value: object) -> dict[int, float]:
        text = value if type(value) is str else _text_of(value)
        if text is None or text in self._markers:
            return {}
        counts: dict[int, float] = {}
        if self._hashed is not None:
            for token in self._tokens(text):
                place, sign = self._hashed(token)
                counts[place] = counts.get(place, 0.0) + sign
        else:
            places = self._places
            for token in self._tokens(text):
                if token in places:
                    counts[places[token]] = counts.get(places[token], 0.0) + 1.0
        if self._binary:
            counts = dict.fromkeys(counts, 1.0)
        return self._chosen(counts) if self._kept else counts

    def _chosen(self, counts: dict[int, float]) -> dict[int, float]:
        """Return the counts at the places that are written, and what is written of the others."""
        kept = {self._kept[place]: count for place, count in counts.items() if place in self._kept}
        if self._rest != "none":
            others = [count for place, count in counts.items() if place not in self._kept]
            power = 1 if self._rest == "sizes" else 2
            kept[self.width - 1] = float(sum(abs(count) ** power for count in others))
        return kept


def token_expression(operation: Text) -> str:
    r"""Return the regular expression whose matches are the tokens of the analyzer ``word``.

    Examples
    --------
    >>> token_expression(Text(column="note")), token_expression(Text(column="note", also="'-", shortest=1))
    ('\\w{2,}', "[\\w'\\-]{1,}")
    """
    characters = _CHARACTERS[operation.characters]
    if operation.also:
        characters = f"[{characters.strip('[]')}{re.escape(operation.also)}]"
    edge = r"\b" if operation.whole else ""
    return f"{edge}{characters}{{{operation.shortest},}}{edge}"


def _text_of(value: object) -> str | None:
    """Return a value that is no plain ``str`` as the text it stands for; None where it is missing."""
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        return None
    if not isinstance(value, bool | np.bool_ | np.timedelta64):
        if isinstance(value, int | np.integer):
            if abs(int(value)) < _DIGITS:
                return str(int(value))
        elif (number := number_of(value)) is not None and number % 1 == 0 and abs(number) < _WHOLE:
            return str(int(number))
    raise UnreadableError("a text")


def _tokenizer(operation: Text) -> Callable[[str], Iterable[str]]:
    prepare, cut = _preparation(operation), _cut(operation)
    return lambda text: cut(prepare(text))


def _preparation(operation: Text) -> Callable[[str], str]:
    accents = {"none": None, "ascii": _ascii, "unicode": _without_marks}[operation.strip_accents]
    if accents is None:
        return str.lower if operation.lowercase else str
    return (lambda text: accents(text.lower())) if operation.lowercase else accents


def _ascii(text: str) -> str:
    return text if text.isascii() else "".join(map(_decomposed, text)).encode("ascii", "ignore").decode()


def _without_marks(text: str) -> str:
    if text.isascii():
        return text
    return "".join(map(_bare, text))


@lru_cache(maxsize=_REMEMBERED)
def _decomposed(letter: str) -> str:
    """Decompose one letter: in a whole text the marks are put in order too, in time quadratic in how many there are."""
    return unicodedata.normalize("NFKD", letter)


@lru_cache(maxsize=_REMEMBERED)
def _bare(letter: str) -> str:
    return "".join([mark for mark in _decomposed(letter) if not unicodedata.combining(mark)])


def _cut(operation: Text) -> Callable[[str], Iterable[str]]:
    shortest, longest = operation.ngrams
    if operation.analyzer == "char":
        return lambda text: _grams(_SPACES.sub(" ", text), shortest, longest)
    if operation.analyzer == "char_wb":
        return lambda text: (gram for word in text.split() for gram in _padded_grams(word, shortest, longest))
    tokens = re.compile(token_expression(operation)).findall
    stop = frozenset(operation.stop_words)
    if not stop and longest == 1:
        return tokens
    if longest == 1:
        return lambda text: [token for token in tokens(text) if token not in stop]
    return lambda text: _joined([token for token in tokens(text) if token not in stop], shortest, longest)


def _grams(text: str, shortest: int, longest: int) -> Iterable[str]:
    """Return n-grams one by one: all those of a long text at once would fill the memory."""
    return (text[at : at + size] for size in range(shortest, longest + 1) for at in range(len(text) - size + 1))


def _padded_grams(word: str, shortest: int, longest: int) -> Iterable[str]:
    """Return the n-grams of a word between two spaces; one that is too short for them counts once, as it is."""
    padded = f" {word} "
    if len(padded) <= shortest:
        return [padded]
    return _grams(padded, shortest, min(longest, len(padded)))


def _joined(tokens: list[str], shortest: int, longest: int) -> Iterable[str]:
    return (
        " ".join(tokens[at : at + size])
        for size in range(shortest, longest + 1)
        for at in range(len(tokens) - size + 1)
    )


def _hashed(n_features: int, alternate_sign: bool) -> Callable[[str], tuple[int, float]]:
    """Return the function from a token to its place and its sign; it remembers the tokens seen last."""

    def place(token: str) -> tuple[int, float]:
        number = murmur3(token.encode("utf-8", "surrogatepass"))
        return abs(number) % n_features, -1.0 if alternate_sign and number < 0 else 1.0

    known = lru_cache(maxsize=_REMEMBERED)(place)
    return lambda token: (known if len(token) <= _LONGEST_REMEMBERED else place)(token)
