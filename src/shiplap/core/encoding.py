"""`Encoding`: how a row becomes numbers, as a closed list of declarative operations. No code.

Each operation reads one column and writes `width` neighbouring numbers of a double matrix of shape
``(n_rows, encoding.width)``; the graph takes that matrix. NaN stands for missing and is written ``null`` in JSON.
The meaning of each operation, value by value, is specified in ``docs/ship-format.md``.
"""

from __future__ import annotations

from math import prod
from typing import Literal

import msgspec

__all__ = ["Boolean", "Category", "Date", "DatePart", "Encoding", "Image", "Number", "Operation", "Tensor", "Text"]

Analyzer = Literal["word", "char", "char_wb"]
Characters = Literal[
    "word",
    "letter",
    "not_space",
    "ascii_word",
    "ascii_letter_digit",
    "ascii_lower_digit",
    "ascii_letter",
    "ascii_lower",
]
DatePart = Literal["year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second", "epoch_s"]


class _Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    column: str
    missing: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return 1


class Number(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="number"):
    """A number, or a text that is one; null, NaN, the empty text and the texts in `missing` give NaN.

    Parameters
    ----------
    column : str
        The column it reads.
    missing : tuple of str
        Further texts that mean "missing".
    """


class Boolean(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="boolean"):
    """Yes or no, as 1 and 0; missing gives NaN.

    Parameters
    ----------
    true, false : tuple of str
        Texts that mean yes and no, beside ``true``/``false`` and 1/0.
    """

    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()


class Category(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="category"):
    """A value of a vocabulary, as numbers.

    Parameters
    ----------
    categories : tuple of str, or tuple of float
        The vocabulary: all texts, or all numbers; where it holds numbers, values are compared as numbers.
    values : tuple of tuple of (float or None)
        Row of numbers for each category, all of the same length; the position (0, 1, ...) when empty.
    if_missing, if_unseen : tuple of (float or None)
        Numbers for a missing and for an unseen value.
    """

    categories: tuple[str | float, ...]
    values: tuple[tuple[float | None, ...], ...] = ()
    if_missing: tuple[float | None, ...] = (None,)
    if_unseen: tuple[float | None, ...] = (None,)

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return len(self.if_missing)


class Date(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="date"):
    """Parts of a moment; ISO 8601 text, or text of `format`. Missing gives NaN in every part.

    Parameters
    ----------
    parts : tuple of DatePart
        What is written, in order. ``weekday`` is 0 on Monday; ``epoch_s`` is seconds since 1970 (UTC where the value
        has a zone, else as written).
    format : str
        ``strptime`` format; empty for ISO 8601.
    """

    parts: tuple[DatePart, ...]
    format: str = ""

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return len(self.parts)


class Tensor(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tensor"):
    """Numbers in an array of fixed shape, written row by row (the last axis fastest); missing gives NaN throughout.

    Parameters
    ----------
    shape : tuple of int
        Shape of one row's value; not empty.
    """

    shape: tuple[int, ...]

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return prod(self.shape)


class Text(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="text"):
    """How often each token occurs in a text; a missing text counts nothing: zeros.

    Parameters
    ----------
    analyzer : {"word", "char", "char_wb"}
        Tokens are words, pieces of the text, or pieces of its words.
    lowercase, strip_accents
        What is done to the text first, in this order.
    characters, also, shortest, whole
        A word is a run of `characters`, or of those `also` given, at least `shortest` of them; where it must be
        `whole`, it is not part of a longer run of letters, digits and underscores.
    ngrams : tuple of int
        Fewest and most words, or characters, of a token.
    stop_words : tuple of str
        Words that are left out before they are joined.
    binary : bool
        Whether a token that occurs counts 1, however often.
    vocabulary : tuple of str
        The tokens that are counted, by place. Empty where tokens are hashed instead.
    n_features : int
        Number of places where tokens are hashed; 0 where there is a vocabulary.
    alternate_sign : bool
        Whether hashed tokens count 1 or -1, by their hash.
    places : tuple of int
        Hashed places that are written, in this order; all of them where it is empty.
    rest : {"none", "sizes", "squares"}
        What is written last of the counts at all other places: nothing, the sum of their sizes, or of their squares.
    """

    analyzer: Analyzer = "word"
    lowercase: bool = True
    strip_accents: Literal["none", "ascii", "unicode"] = "none"
    characters: Characters = "word"
    also: str = ""
    shortest: int = 2
    whole: bool = False
    ngrams: tuple[int, int] = (1, 1)
    stop_words: tuple[str, ...] = ()
    binary: bool = False
    vocabulary: tuple[str, ...] = ()
    n_features: int = 0
    alternate_sign: bool = True
    places: tuple[int, ...] = ()
    rest: Literal["none", "sizes", "squares"] = "none"

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return (len(self.vocabulary) or len(self.places) or self.n_features) + (self.rest != "none")


class Image(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="image"):
    """The pixels of an image as numbers from 0 to 255, channel by channel; a missing image is refused.

    Parameters
    ----------
    size : tuple of int
        Height and width to which every image is fitted.
    mode : {"RGB", "L"}
        Three channels, or one of gray.
    resize : {"squish", "crop", "pad"}
        Whether the aspect ratio is given up, what stands out in the middle is cut off, or margins are added.
    resample : str
        How pixels are mixed where the size changes.
    fill : {"zeros", "border", "reflection"}
        What margins hold.
    """

    size: tuple[int, int]
    mode: Literal["RGB", "L"] = "RGB"
    resize: Literal["squish", "crop", "pad"] = "squish"
    resample: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"] = "bilinear"
    fill: Literal["zeros", "border", "reflection"] = "zeros"

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return prod(self.size) * len(self.mode)


Operation = Number | Boolean | Category | Date | Tensor | Text | Image


class Encoding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All operations of a ship, in the order of the matrix's columns.

    Parameters
    ----------
    version : int
        Version of the list of operations.
    operations : tuple of Operation
        Two operations may read the same column.

    Examples
    --------
    >>> encoding = Encoding(operations=(Number(column="age"), Date(column="at", parts=("month", "hour"))))
    >>> encoding.width, encoding.columns
    (3, ('age', 'at'))
    """

    version: int = 1
    operations: tuple[Operation, ...] = ()

    @property
    def width(self) -> int:
        """Number of columns of the encoded matrix."""
        return sum(operation.width for operation in self.operations)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, each once, in order of first use."""
        return tuple(dict.fromkeys(operation.column for operation in self.operations))
