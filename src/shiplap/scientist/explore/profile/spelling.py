"""What is wrong with how texts are written: broken encodings, invisible characters, several spellings of one value."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from shiplap.scientist.explore.profile.records import Value

__all__ = ["faults", "is_amount", "is_mojibake", "placeholder_words", "variants"]

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_AMOUNT = re.compile(
    r"[+-]?\s?[$€£¥]?\s?[+-]?(\d{1,3}([,.' ]\d{3})+|\d+)([.,]\d+)?\s?(?P<unit>%|[$€£¥]|[^\W\d_]{1,3})?", re.UNICODE
)
_PLACEHOLDERS = frozenset((
    "unknown", "unk", "not available", "not applicable", "not known", "not stated", "not specified", "unspecified",
    "undefined", "n.a.", "no data", "no answer", "empty", "blank", "(blank)", "tbd", "tba", "todo", "xxx", "dummy",
    "test", "default",
))  # fmt: skip


def is_mojibake(text: str) -> bool:
    """Tell whether a text was UTF-8 that somebody read as Windows-1252 or Latin-1, or has lost characters.

    Examples
    --------
    >>> [is_mojibake(text) for text in ("MÃ¼ller", "Müller", "caf\ufffd", "naïve")]
    [True, False, True, False]
    """
    if text.isascii():
        return False
    if "\ufffd" in text:
        return True
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode("utf-8") != text
        except UnicodeError:
            continue
    return False


def faults(values: Iterable[Value]) -> dict[str, list[Value]]:
    """Sort out the values that are written wrongly: ``mojibake``, ``invisible`` characters, ``blanks`` around them.

    Examples
    --------
    >>> {fault: [value.shown for value in found] for fault, found in faults([Value("a ", 2), Value("b", 1)]).items()}
    {'blanks': ['a ']}
    """
    found: dict[str, list[Value]] = defaultdict(list)
    for value in values:
        if is_mojibake(value.shown):
            found["mojibake"].append(value)
        elif _INVISIBLE.search(value.shown):
            found["invisible"].append(value)
        elif value.shown != value.shown.strip():
            found["blanks"].append(value)
    return dict(found)


def variants(values: Iterable[Value]) -> list[tuple[Value, ...]]:
    """Group the values that differ only in case, blanks, or the way Unicode composes them; most rows first.

    Examples
    --------
    >>> variants([Value("north", 9), Value("South", 7), Value("North ", 2)])
    [(Value(shown='north', rows=9), Value(shown='North ', rows=2))]
    """
    groups: dict[str, list[Value]] = defaultdict(list)
    for value in values:
        folded = unicodedata.normalize("NFKC", value.shown).casefold()
        groups[" ".join(folded.split())].append(value)
    same = [tuple(group) for group in groups.values() if len(group) > 1]
    return sorted(same, key=lambda group: -sum(value.rows for value in group))


def is_amount(values: Iterable[Value]) -> bool:
    """Tell whether texts are numbers written with separators, a currency, a percent sign or one unit.

    Examples
    --------
    >>> is_amount([Value("1,200 kg", 1), Value("85 kg", 1)]), is_amount([Value("12a", 1), Value("12b", 1)])
    (True, False)
    """
    seen, right, units = 0, 0, set()
    for value in values:
        seen += value.rows
        if match := _AMOUNT.fullmatch(value.shown.strip()):
            right += value.rows
            units.add(match["unit"])
    return seen > 0 and right >= 0.95 * seen and len(units) == 1


def placeholder_words(values: Iterable[Value]) -> list[Value]:
    """Return the values that say that nothing is known."""
    return [value for value in values if value.shown.strip().casefold() in _PLACEHOLDERS]
