"""`Brief`: the question. What is asked, what answers are worth, what a prediction may cost."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from shiplap.core.errors import BriefError, nearest
from shiplap.core.schema import Kind

__all__ = [
    "Asked",
    "Brief",
    "Budget",
    "Capacity",
    "ColumnBrief",
    "KnownAt",
    "Label",
    "OutputTask",
    "Task",
    "Value",
    "read_brief",
]

Task = Literal["binary", "multiclass", "regression"]
"""What an answer is."""
Asked = Task | Literal["ranking", "forecast", "anomaly"]
"""What is asked: a ranking and a forecast answer as a regression does, an anomaly as a binary task."""
OutputTask = Task | Literal["tensor"]
KnownAt = Literal["decision", "later"]
Label = str | int | float | bool
_LEAST_TABLE_MB = 128
_SECRET = re.compile(r"[a-z]\w*://([^/?@]*:[^/?@]+@|[^?]*\?(\S*&)?(ssl)?password=)", re.IGNORECASE)
"""An address with a password in it."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What outcomes are worth, in money.

    For a binary target, ``tp``, ``fp``, ``fn`` and ``tn`` are what one decision brings when it is a true positive,
    and so on: a number, or a text naming a column with an optional factor (``"amount"``, ``"-0.2 * amount"``), so
    that the worth can differ by row. For a multiclass target, ``matrix[decision][actual]``. For regression, ``over``
    and ``under`` are the price of one unit of error in each direction, as positive numbers. In a ranking the target
    itself is what acting on a row brings, and ``cost`` is taken off it.

    Parameters
    ----------
    tp, fp, fn, tn : float or str, optional
        Worth of one decision by outcome; what is left out is worth 0.
    matrix : dict of str to dict of str to float, optional
        ``matrix[decided class][actual class]``.
    over, under : float, optional
        Price per unit of predicting too much and too little.
    cost : float, optional
        What acting on one row costs, in a ranking. A cost that differs by row belongs into the target:
        ``target="spend - postage"``.
    unit : str
        Currency or unit, for display.
    effort : float
        What using ML at all costs, per 1,000 decisions; the gain must exceed it.

    Examples
    --------
    >>> Value(tp=80, fp=-5, fn=-120).tp
    80
    """

    tp: float | str | None = None
    fp: float | str | None = None
    fn: float | str | None = None
    tn: float | str | None = None
    matrix: dict[str, dict[str, float]] | None = None
    over: float | None = None
    under: float | None = None
    cost: float | None = None
    unit: str = ""
    effort: float = 0.0


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a prediction, making the model, and reading the table may cost.

    Parameters
    ----------
    p99_ms : float, optional
        99th percentile of one row in process: encode, graph and decide, in milliseconds.
    size_mb : float, optional
        The sealed part of the ship file, in megabytes.
    memory_mb : float, optional
        Resident growth after loading, in megabytes.
    train_seconds : float
        Wall time that training may take; searches are cut in whole work units.
    table_mb : float
        What the rows of a table, and queries over them, may take in memory, in megabytes; the rest lies on disk.
    """

    p99_ms: float | None = None
    size_mb: float | None = None
    memory_mb: float | None = None
    train_seconds: float = 120.0
    table_mb: float = 1024.0


class Capacity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often can be acted, where more would be wanted than can be done; exactly one of them.

    Parameters
    ----------
    share : float, optional
        Share of the rows, of each day where there is a time column.
    per_hour, per_day, per_week, per_month : float, optional
        How many in each such period of the time column.

    Examples
    --------
    >>> Capacity(per_day=200).per_day
    200
    """

    share: float | None = None
    per_hour: float | None = None
    per_day: float | None = None
    per_week: float | None = None
    per_month: float | None = None


class ColumnBrief(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the user knows about one column; it overrides what was inferred.

    Parameters
    ----------
    kind : str, optional
        ``number``, ``boolean``, ``category``, ``date``, ``text``, ``id`` or ``constant``.
    missing : tuple of str
        Further texts that mean "missing" in this column.
    known_at : {"decision", "later"}, optional
        Whether the value is known when the decision is made. Settles any suspicion of a leak.
    private : bool
        Never shown in a ship, a sample or a page.
    """

    kind: Kind | None = None
    missing: tuple[str, ...] = ()
    known_at: KnownAt | None = None
    private: bool = False


class Brief(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The question that is asked of a table.

    Parameters
    ----------
    target : str
        A column, or an SQL expression over columns such as ``arr_delay > 15``.
    table : str
        Path, glob or SQL query; empty when the rows are given as an object.
    name : str
        Name of the ship; derived from the table when empty.
    positive : str, int, float or bool, optional
        The class that is to be found; chosen and said when left out.
    task : {"binary", "multiclass", "regression", "ranking", "forecast", "anomaly"}, optional
        Inferred from the target when left out. A ranking acts on the rows that bring most, as many as the capacity
        allows, and the target is what each brings; a forecast answers from what a series held `horizon` steps before,
        and is judged against naive forecasts; an anomaly is a rare class that is also looked for without labels.
    horizon : int
        How many steps ahead a forecast is asked, in the usual distance between two moments.
    decision : str
        What is done when the answer is yes, in words ("warn the passenger").
    value : Value, optional
        What outcomes are worth. Without it no money is invented.
    capacity : Capacity, optional
        How often can be acted ("we can call 200 a day"): the best-ranked rows of each period come first.
    budget : Budget
        What a prediction may cost.
    time, group : str, optional
        Column of time (train on the past, test on the future) and of groups that must not be split.
    label_time, acted : str, optional
        Column of the moment from which on the label was known, and column that says on which rows the decision was
        acted on in the past. Neither is ever a feature.
    sensitive : tuple of str
        Columns that name groups of people whose error rates are compared.
    id, private : tuple of str
        Columns that only identify a row, and columns that appear in no ship, sample or page.
    drop, keep : tuple of str
        Columns to leave out, and columns to use whatever the leak tests say.
    columns : dict of str to ColumnBrief
        What is known about single columns.
    test_from : str
        First moment of the test rows (ISO 8601) where `time` is given; the last sixth of the span when empty.
    seed : int
        Seed of every random choice.

    Examples
    --------
    >>> Brief(target="churned", value=Value(tp=80, fp=-5)).budget.train_seconds
    120.0
    """

    target: str = ""
    table: str = ""
    name: str = ""
    positive: Label | None = None
    task: Asked | None = None
    horizon: int = 1
    decision: str = ""
    value: Value | None = None
    capacity: Capacity | None = None
    budget: Budget = Budget()
    time: str | None = None
    group: str | None = None
    label_time: str | None = None
    acted: str | None = None
    sensitive: tuple[str, ...] = ()
    id: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    columns: dict[str, ColumnBrief] = {}
    test_from: str = ""
    seed: int = 0

    @classmethod
    def make(cls, **fields: Any) -> Brief:
        """Build a brief from plain values (dicts, lists, numbers), checking each.

        Raises
        ------
        BriefError
            An unknown key (the nearest valid one is named), or a value of the wrong type or out of range.

        Examples
        --------
        >>> Brief.make(target="churned", budget={"p99_ms": 1}).budget.p99_ms
        1.0
        >>> Brief.make(tarbet="churned")
        Traceback (most recent call last):
        shiplap.core.errors.BriefError: the brief has no key 'tarbet' (did you mean 'target'?)
        """
        given = {key: value for key, value in fields.items() if value is not None}
        _refuse_unknown(given, cls, "the brief")
        try:
            brief = msgspec.convert(msgspec.to_builtins(given, enc_hook=_number), type=cls)
        except (msgspec.ValidationError, TypeError) as error:
            raise BriefError(
                f"the brief: {_plainly(str(error))}", hint="see `shiplap init` for a commented example"
            ) from error
        return _checked(brief)

    def replaced(self, **fields: Any) -> Brief:
        """Return a copy with some fields replaced, checked like `make`; fields that are None keep their value."""
        given = {key: value for key, value in fields.items() if value is not None}
        return Brief.make(**{**msgspec.structs.asdict(self), **given})


def read_brief(path: Path) -> Brief:
    """Decode ``shiplap.toml``.

    Parameters
    ----------
    path : Path
        The file, or the folder that holds it.

    Raises
    ------
    BriefError
        There is no such file, it is not TOML, or a key or value in it is wrong.
    """
    file = path / "shiplap.toml" if path.is_dir() else path
    try:
        fields = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BriefError(f"no brief at '{file}'", hint="write one with `shiplap init TABLE`") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BriefError(f"'{file}' is not valid TOML: {error}") from error
    return Brief.make(**fields)


def _plainly(text: str) -> str:
    """Say what msgspec says in the words of a brief: ``Expected `float | null`, got `str` - at `$.budget.p99_ms```."""
    unknown = re.fullmatch(r"Invalid enum value '(.*)' - at `\$\.task`", text)
    if unknown:
        tasks = [task for part in get_args(Asked) for task in get_args(part) or (part,)]
        return f"task must be one of {', '.join(tasks)}, not '{unknown[1]}'"
    said = re.fullmatch(r"Expected `([^`]+)`, got `(\w+)` - at `\$\.?([^`]*)`", text)
    if said is None:
        return text
    names = {"float": "a number", "int": "a whole number", "str": "a text", "bool": "true or false"}
    names |= {"array": "a list", "object": "a table"}
    wanted = [names.get(name, name) for name in said[1].split(" | ") if name != "null"]
    return f"{said[3]} must be {' or '.join(wanted)}, not {names.get(said[2], said[2])}"


def _refuse_unknown(fields: dict[str, Any], struct: type[msgspec.Struct], where: str) -> None:
    inner: dict[str, type[msgspec.Struct]] = {"value": Value, "capacity": Capacity, "budget": Budget}
    for key, value in fields.items():
        if key not in struct.__struct_fields__:
            raise BriefError(f"{where} has no key '{key}'", hint=nearest(key, struct.__struct_fields__))
        if struct is Brief and isinstance(value, dict):
            if key in inner:
                _refuse_unknown(value, inner[key], f"[{key}]")
            elif key == "columns":
                for column, known in value.items():
                    if isinstance(known, dict):
                        _refuse_unknown(known, ColumnBrief, f"[columns.{column}]")


def _number(value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # of numpy, and of those that speak like it
        return value.item()
    raise TypeError(f"expected plain values, not one of type {type(value).__name__}")


def _checked(brief: Brief) -> Brief:
    if not 0 <= brief.seed < 2**32:
        raise BriefError(f"seed must be from 0 to {2**32 - 1}, not {brief.seed}")
    if brief.horizon < 1:
        raise BriefError(f"horizon must be at least 1 step, not {brief.horizon}")
    for name in ("p99_ms", "size_mb", "memory_mb", "train_seconds", "table_mb"):
        limit = getattr(brief.budget, name)
        if limit is not None and not limit > 0:
            raise BriefError(f"budget.{name} must be above 0, not {limit}")
    if brief.budget.table_mb < _LEAST_TABLE_MB:
        raise BriefError(
            f"budget.table_mb must be at least {_LEAST_TABLE_MB}, not {brief.budget.table_mb}",
            hint="rows are worked on in pieces that need so much",
        )
    if brief.value is not None:
        _check_value(brief.value, ranking=brief.task == "ranking")
    if brief.capacity is not None:
        _check_capacity(brief.capacity)
    _check_table(brief.table)
    both = set(brief.drop) & set(brief.keep)
    if both:
        raise BriefError(f"column '{min(both)}' is both in drop and in keep")
    shown = set(brief.sensitive) & {*brief.private, *(name for name, known in brief.columns.items() if known.private)}
    if shown:
        hint = "error rates between its groups would show it; drop=... keeps it out of the model instead"
        raise BriefError(f"column '{min(shown)}' is both private and sensitive", hint=hint)
    return brief


def _check_capacity(capacity: Capacity) -> None:
    given = {name: number for name, number in msgspec.structs.asdict(capacity).items() if number is not None}
    if len(given) != 1:
        raise BriefError(f"capacity needs exactly one of: {', '.join(Capacity.__struct_fields__)}")
    ((name, number),) = given.items()
    if not 0 < number < math.inf or (name == "share" and number > 1):
        least = "above 0 and at most 1" if name == "share" else "above 0"
        raise BriefError(f"capacity.{name} must be {least}, not {number}")


def _check_table(table: str) -> None:
    if _SECRET.match(table):
        raise BriefError(
            "the address in table holds a password, and a brief is written into records",
            hint="leave it out, and give it in PGPASSWORD or ~/.pgpass",
        )


def _check_value(value: Value, *, ranking: bool) -> None:
    for name, worth in _worths(value):
        if isinstance(worth, float) and not math.isfinite(worth):
            raise BriefError(f"value.{name} must be a finite number, not {worth}")
    for name, what in (("over", "one unit of error"), ("under", "one unit of error"), ("cost", "acting on one row")):
        price = getattr(value, name)
        if price is not None and price < 0:
            raise BriefError(f"value.{name} is the price of {what} and cannot be below 0, not {price}")
    others = [
        any(getattr(value, name) is not None for name in ("tp", "fp", "fn", "tn")),
        value.matrix is not None,
        value.over is not None or value.under is not None,
    ]
    if ranking and any(others):
        raise BriefError(
            "the values of a ranking are its target, less value.cost where acting on a row costs something",
            hint="leave tp / fp / fn / tn, matrix, over and under out",
        )
    if not ranking and sum(others) + (value.cost is not None) != 1:
        raise BriefError(
            "value needs exactly one of: tp / fp / fn / tn (binary), matrix (multiclass), over / under (regression), "
            "cost (ranking)"
        )


def _worths(value: Value) -> Iterator[tuple[str, float | str | None]]:
    for name in ("tp", "fp", "fn", "tn", "over", "under", "cost", "effort"):
        yield name, getattr(value, name)
    for decided, row in (value.matrix or {}).items():
        for actual, worth in row.items():
            yield f"matrix.{decided}.{actual}", worth
