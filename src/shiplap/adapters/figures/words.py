"""Numbers and names as people read them: the same in the terminal, in Markdown and on a page."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from shiplap.core.finding import Finding
from shiplap.core.report import Cell

__all__ = [
    "cell",
    "clip",
    "column_cells",
    "is_share",
    "metrics",
    "money",
    "number",
    "others",
    "percent",
    "plain",
    "signed",
]

MINUS = "−"
MISSING = "–"
_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SHARE = re.compile(r"(?i)\b(share|rate|probability|fraction|precision|recall|missing share|threshold)\b")
_MONEY = re.compile(r"(gain|money|value)(_|$)")
_CURRENCY = re.compile(r"[$€£¥₹]|[A-Z]{3}")
_DIGEST = re.compile(r"[0-9a-f]{40,64}")
_UNITS = {"us": "µs", "ms": "ms", "s": "s", "seconds": "s", "mb": "MB", "kb": "kB", "bytes": "bytes"}
_NAMES = {
    "auc": "AUC",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "brier": "Brier score",
    "ndcg": "NDCG",
    "spearman": "rank correlation",
    "captured": "share of what could be had",
    "p50": "median",
    "n": "number of",
    "single": "one row:",
    "http": "over HTTP:",
    "per 1000": "per 1,000",
}
_METRICS = {
    "n_rows": "rows",
    "n_columns": "columns",
    "n_labelled": "rows with a label",
    "n_duplicates": "repeated rows",
    "positive": "class looked for",
    "n_refused": "rows refused",
    "n_acted": "rows acted on",
    "rows_per_s": "rows per second",
    "n_train": "rows to train on",
    "n_tune": "rows to tune on",
    "n_test": "rows to test on",
    "seconds": "time",
    "train_seconds": "time to train",
    "chosen": "model",
    "break_even": "break-even, false alarms a hit",
    "speedup": "times faster",
    "http_adds_us": "HTTP adds",
    "peak_mb": "peak memory",
    "size_mb": "size of the sealed part",
    "memory_mb": "memory after loading",
}


def number(value: float | None, *, digits: int = 3) -> str:
    """Write a number with thousands separators and at most `digits` significant digits.

    Parameters
    ----------
    value : float or None
        The number; None and NaN are written as a dash.
    digits : int
        Significant digits of numbers that are not whole; whole parts are never cut.

    Examples
    --------
    >>> number(336776), number(0.123456), number(1234.5), number(-0.5), number(3.1e-15)
    ('336,776', '0.123', '1,234', '−0.5', '3.1 × 10⁻¹⁵')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    if isinstance(value, int) or float(value).is_integer():
        text = f"{size:,.0f}" if size < 1e15 else _power(size, digits)
    elif size >= 10 ** (digits - 1):
        text = f"{size:,.0f}"
    elif size < 1e-4:
        text = _power(size, digits)
    else:
        places = digits - 1 - math.floor(math.log10(size))
        text = f"{size:.{places}f}".rstrip("0").rstrip(".")
    return MINUS + text if value < 0 and text.strip("0.,") else text


def _power(size: float, digits: int) -> str:
    mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def percent(share: float | None) -> str:
    """Write a share from 0 to 1 as a percentage.

    Examples
    --------
    >>> percent(0.23742), percent(1.0), percent(0.0004), percent(0.999999)
    ('23.7%', '100%', '0.04%', '>99.9%')
    """
    if share is None or math.isnan(share):
        return MISSING
    if 0.9995 <= share < 1:
        return ">99.9%"
    hundred = share * 100
    if hundred == 0 or abs(hundred) >= 0.995:
        text = f"{abs(hundred):.1f}".removesuffix(".0")
    else:
        text = f"{abs(hundred):.2g}" if abs(hundred) >= 0.001 else "<0.001"
    return (MINUS if hundred < 0 else "") + text + "%"


def money(value: float | None, unit: str = "") -> str:
    """Write an amount: no decimals from 100 on, two below; the unit after a space, a sign such as $ in front.

    A unit that is no currency (a loss, points) is written like any number; ``money`` stands for a currency that nobody
    named, and is left out.

    Examples
    --------
    >>> money(1234.56, "EUR"), money(-12.5, "$"), money(3)
    ('1,235 EUR', '−$12.50', '3')
    >>> money(-263.2, "money")
    '−263'
    >>> money(0.0313, "log loss")
    '0.0313 log loss'
    """
    if value is None or not math.isfinite(value):
        return MISSING
    unit = "" if unit == "money" else unit
    if unit and not _CURRENCY.fullmatch(unit):
        return f"{number(value)} {unit}"
    size = abs(value)
    text = f"{size:,.0f}" if size >= 99.995 or float(size).is_integer() else f"{size:,.2f}"
    sign = MINUS if value < 0 and text.strip("0.,") else ""
    if unit in {"$", "€", "£", "¥"}:
        return f"{sign}{unit}{text}"
    return f"{sign}{text} {unit}".rstrip()


def signed(text: str) -> str:
    """Put a plus before an amount that is neither negative nor missing.

    Examples
    --------
    >>> signed("12 EUR"), signed("−3"), signed("0")
    ('+12 EUR', '−3', '0')
    """
    return text if text.startswith((MINUS, MISSING)) or text.split(" ", maxsplit=1)[0] == "0" else f"+{text}"


def plain(text: str) -> str:
    """Replace what is not meant to be seen (control and formatting characters) so that no text can steer a terminal.

    Examples
    --------
    >>> plain("a\\x1b[31mb")
    'a�[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join("�" if unicodedata.category(char) in {"Cc", "Cf", "Cs"} else char for char in text)


def clip(text: str, width: int = 60) -> str:
    """Cut a text to `width` characters, its tail replaced by an ellipsis.

    Examples
    --------
    >>> clip("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def is_share(heading: str, values: Iterable[Cell]) -> bool:
    """Tell whether a column holds shares from 0 to 1 that read better as percentages.

    Examples
    --------
    >>> is_share("share of rows", [0.1, None, 0.9]), is_share("AUC", [0.7]), is_share("share, %", [12.0])
    (True, False, False)
    """
    if "%" in heading or not _SHARE.search(heading.replace("_", " ")):
        return False
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    return bool(numbers) and all(math.isnan(value) or -1 <= value <= 1 for value in numbers)


def cell(value: Cell, *, share: bool = False, width: int = 60) -> str:
    """Write one cell of a table.

    Examples
    --------
    >>> cell(True), cell(None), cell(0.25, share=True), cell("dep_delay")
    ('yes', '–', '25%', 'dep_delay')
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return clip(plain(" ".join(value.split())), width)
    return percent(value) if share else number(value)


def column_cells(heading: str, values: Sequence[Cell], *, width: int = 60) -> list[str]:
    """Write one column of a table, all cells in one manner.

    Examples
    --------
    >>> column_cells("missing share", [0.5, None])
    ['50%', '–']
    """
    share = is_share(heading, values)
    return [cell(value, share=share, width=width) for value in values]


def metrics(named: Mapping[str, Cell]) -> list[tuple[str, str]]:
    """Return what to call each metric and its value, with the unit that its name ends in or that ``unit`` gives.

    Parameters
    ----------
    named : mapping of str to number, str, bool or None
        Metrics of a report. ``unit`` is the currency of those that speak of money, and is not listed itself; neither
        is what was not measured.

    Examples
    --------
    >>> metrics({"single_p50_us": 6.21, "base_rate": 0.24, "n_rows": 336776})
    [('one row: median', '6.21 µs'), ('base rate', '24%'), ('rows', '336,776')]
    >>> metrics({"gain_per_1000": 1250.4, "gain": 1250.4, "unit": "EUR", "rows_per_s": 95347.2, "auc": None})
    [('gain per 1,000', '1,250 EUR'), ('rows per second', '95,347')]
    """
    unit = named.get("unit")
    currency = unit if isinstance(unit, str) else ""
    twice = {"unit", "gain"} if named.get("gain_per_1000") is not None else {"unit"}
    return [_metric(name, value, currency) for name, value in named.items() if name not in twice and value is not None]


def others(means: str, columns: Iterable[str]) -> list[str]:
    """Return the columns that a sentence does not name itself.

    Examples
    --------
    >>> others("dep_delay gives the answer away", ["dep_delay", "arr_time"])
    ['arr_time']
    """
    return [name for name in columns if name not in means]


def sentence(finding: Finding) -> str:
    """Return what a finding means, begun with a capital unless it begins with a column or another given name.

    Examples
    --------
    >>> sentence(Finding(check="a", verdict="note", means="nothing is missing"))
    'Nothing is missing'
    >>> sentence(Finding(check="a", verdict="note", means="dep_delay tells all", columns=("dep_delay",)))
    'dep_delay tells all'
    """
    means = " ".join(finding.means.split())
    first = means.partition(" ")[0].rstrip(",.:;")
    named = first in finding.columns or not first.isalpha() or not first.islower()
    return plain(means if named else means[:1].upper() + means[1:])


def _metric(name: str, value: Cell, currency: str) -> tuple[str, str]:
    words = name.split("_")
    unit = "" if name.endswith("_per_s") else _UNITS.get(words[-1], "") if len(words) > 1 or name == "seconds" else ""
    label = _METRICS.get(name) or " ".join(words[:-1] if unit else words)
    label = re.sub(r"rows per s (\d+)", r"rows per second, batches of \1", label)
    for short, long in _NAMES.items():
        label = re.sub(rf"\b{short}\b", long, label)
    if currency and _MONEY.match(name) and isinstance(value, int | float):
        return label, money(value, plain(currency))
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return label, value[:12]
    text = cell(value, share=is_share(name, [value]))
    return label, f"{text} {unit}" if unit and text != MISSING else text
