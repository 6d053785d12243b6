"""The scripts texts are written in, and letters of one that pass for letters of another."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

__all__ = ["has_look_alikes", "script_of"]

_WORD = re.compile(r"[^\W\d_]{2,}")
_NEUTRAL = frozenset(("Common", "Inherited", "Unknown"))
_KANA = frozenset(("Hiragana", "Katakana"))
_LIKE_LATIN = frozenset("АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲ")
"""Cyrillic and Greek letters that most fonts draw as Latin ones (Unicode Technical Standard 39, confusables)."""
_LIKE_OTHERS = frozenset("ABCEHIJKMNOPSTXYZaceijopsxyh")
"""Latin letters that they are drawn as."""


@lru_cache(maxsize=65_536)
def _script(letter: str) -> str:
    from fontTools import unicodedata  # noqa: PLC0415  (tables of Unicode that only texts beyond ASCII need)

    return str(unicodedata.script_name(unicodedata.script(letter), default="Unknown"))


def script_of(text: str) -> str:
    """Return the script that most letters of a text belong to; empty where there are no letters.

    Examples
    --------
    >>> [script_of(text) for text in ("Köln", "Москва (Moscow)", "東京タワー", "2024")]
    ['Latin', 'Cyrillic', 'Japanese', '']
    """
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else ""
    counts: Counter[str] = Counter()
    for letter, times in Counter(filter(str.isalpha, text)).items():
        if (script := _script(letter)) not in _NEUTRAL:
            counts[script] += times
    if not counts:
        return ""
    return "Japanese" if _KANA & counts.keys() else max(sorted(counts), key=lambda script: counts[script])


def has_look_alikes(text: str) -> bool:
    """Tell whether a word mixes Latin with Cyrillic or Greek, and one of the two only by letters that look alike.

    Examples
    --------
    >>> [has_look_alikes(text) for text in ("Pa\u0440is", "Paris", "5 \u03bcm", "k\u03a9")]
    [True, False, False, False]
    """
    return not text.isascii() and any(map(_is_mixed, _WORD.findall(text)))


def _is_mixed(word: str) -> bool:
    if word.isascii():
        return False
    latin = {letter for letter in word if _script(letter) == "Latin"}
    other = {letter for letter in word if _script(letter) in ("Cyrillic", "Greek")}
    return bool(latin and other) and (other <= _LIKE_LATIN or (len(word) > 3 and latin <= _LIKE_OTHERS))
