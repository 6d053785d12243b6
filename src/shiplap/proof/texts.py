"""Texts built to break a tokenizer, and made-up ones: words of the vocabulary in an order that no customer wrote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shiplap.core.encoding import Text
from shiplap.proof.subject import Subject

__all__ = ["HARD_TEXTS", "made_up_texts", "text_operations", "words_of"]

HARD_TEXTS = (
    "",
    " ",
    "\n\n",
    "a",
    "A b",
    "?!... --- '' \"",
    "_",
    "__init__ _x_",
    "0 1 22 3.14 1e5 007",
    "½ ² ٣٤ ⅷ 五",
    "Straße STRASSE ẞ",
    "İstanbul ıI",
    "\ufb01re o\ufb03ce \u01c5",
    "ΟΔΥΣΣΕΥΣ σας",
    "re\u0301sume\u0301 résumé RÉSUMÉ",
    "naïve Ünïcödé Åß",
    "👩\u200d👩\u200d👧 ok 🚢🚢",
    "zero\u200bwidth\u200djoin\ufeff",
    "नमस्ते दुनिया",
    "漢字かな交じり文",
    "שלום مرحبا",
    "e\u0327\u0301x a\u0308",
    "line\r\nbreak\ttab\x0bv\x0cf",
    "no\u00a0break\u2003space\u3000wide\u2028line\x1cfile",
    "don't can't rock'n'roll\u2019s",
    "e-mail co-op --flag x-y-z",
    "a.b@c.de http://x.y/?q=1&r=2#z",
    "CamelCase mIxEd UPPER lower",
    "nul\x00inside",
    "x" * 10_000,
    "word " * 5_000,
    "\u0301\u0301 \u0301a",
    "\u24b6\u24d1\u216b \u2122 \u2103 \uff21\uff22\uff23\uff11\uff12",
    "C++ c# .net #tag @me $5 50%",
    "x\\n \\w+ (?u) [a-z]",
)
"""Accents, emoji, scripts, ligatures, marks, joiners, every white space, digits, case, length, nothing at all."""

_WORDS = ("ship", "Keel", "HULL", "mast7", "sail_loft", "béton", "x", "don't", "42", "never-seen")
_JOINTS = (*[" "] * 12, ", ", "\n", "  ", "-", "", "'", "_", "7", "ß", "漢", "\u200d", "\u0301")
_MOST_WORDS = 30


def text_operations(subject: Subject, column: str) -> tuple[Text, ...]:
    """Return the operations that count tokens of a column."""
    return tuple(
        operation
        for operation in subject.lowered.encoding.operations
        if isinstance(operation, Text) and operation.column == column
    )


def words_of(operations: Sequence[Text], count: int) -> list[str]:
    """Return words of the vocabularies, evenly spread where there are more than `count`.

    Examples
    --------
    >>> words_of([Text(column="note", vocabulary=("call", "free", "now"))], 2)
    ['call', 'now']
    """
    words = list(dict.fromkeys(word for operation in operations for word in operation.vocabulary))
    picks = np.unique(np.linspace(0, len(words) - 1, min(count, len(words))).astype(int))
    return [words[pick] for pick in picks]


def made_up_texts(operations: Sequence[Text], count: int, generator: np.random.Generator) -> list[str]:
    """Draw texts of words of the vocabularies and of others, in lower, upper and mixed case.

    Examples
    --------
    >>> texts = made_up_texts([Text(column="note", vocabulary=("call",))], 50, np.random.default_rng(0))
    >>> len(texts), any("call" in text for text in texts)
    (50, True)
    """
    known = words_of(operations, 2_000)
    texts = []
    for _ in range(count):
        others = generator.choice(_WORDS, int(generator.integers(0, 4))).tolist()
        drawn = generator.choice(known, int(generator.integers(1, _MOST_WORDS))).tolist() if known else []
        words = [*drawn, *others] or [_WORDS[0]]
        joints = generator.choice(_JOINTS, len(words)).tolist()
        text = "".join(word + joint for word, joint in zip(words, joints, strict=True))
        texts.append((text, text.upper(), text.title())[int(generator.choice(3, p=(0.8, 0.1, 0.1)))])
    return texts
