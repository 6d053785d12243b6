"""The kinds of leak, each as a way to plant it in a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from leaks_tables import RealTable

Random = np.random.Generator


@dataclass
class Planted:
    """A table with a leak in it, and where it is."""

    rows: pd.DataFrame
    columns: tuple[str, ...] = ()
    question: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plant:
    """How one kind is planted, and which findings name it where no column does."""

    make: Callable[[pd.DataFrame, RealTable, Random], Planted | None]
    checks: tuple[str, ...] = ()
    split: bool = False
    by_chance: bool = False
    """Whether it leaks only where folds by chance flatter a model (`leaks_harm`)."""


def codes_of(rows: pd.DataFrame, table: RealTable) -> tuple[np.ndarray, int]:
    """Return the classes as numbers; for a number whether it is above its median."""
    if table.task == "regression":
        y = rows[table.target].to_numpy(float)
        return (y > np.median(y)).astype(int), 2
    codes, names = pd.factorize(rows[table.target], sort=True)
    return codes, len(names)


def numbers_of(rows: pd.DataFrame, table: RealTable) -> np.ndarray:
    """Return the target as a number."""
    return rows[table.target].to_numpy(float)


def placed(rows: pd.DataFrame, rng: Random, **columns: Any) -> pd.DataFrame:
    """Put columns at random places."""
    for name, values in columns.items():
        rows = rows.copy()
        rows.insert(int(rng.integers(0, rows.shape[1] + 1)), name, values)
    return rows


def names_for(n: int, rng: Random) -> np.ndarray:
    """Return texts that say nothing."""
    return np.array(["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 6)) for _ in range(n)])


def copy(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """Other names for the classes; a monotone transform of a number."""
    if table.task == "regression":
        y = numbers_of(rows, table)
        z = (y - y.mean()) / y.std()
        shapes = [lambda z: 3 * z - 7, lambda z: np.exp(z / 2), lambda z: -np.cbrt(z)]
        return Planted(placed(rows, rng, planted=shapes[rng.integers(3)](z)), ("planted",))
    codes, n = codes_of(rows, table)
    return Planted(placed(rows, rng, planted=names_for(n, rng)[rng.permutation(n)[codes]]), ("planted",))


def noisy_copy(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """The same with 1 % of the labels wrong, or noise of 3 % of the spread."""
    if table.task == "regression":
        y = numbers_of(rows, table)
        return Planted(placed(rows, rng, planted=y + rng.normal(0, 0.03 * y.std(), len(y))), ("planted",))
    codes, n = codes_of(rows, table)
    wrong = rng.random(len(codes)) < 0.01
    codes = np.where(wrong, rng.integers(0, n, len(codes)), codes)
    return Planted(placed(rows, rng, planted=names_for(n, rng)[codes]), ("planted",))


def pieces(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """Ten pieces of a number under other names; twelve codes for each class."""
    if table.task == "regression":
        ranks = rows[table.target].rank(pct=True).to_numpy()
        return Planted(placed(rows, rng, planted=names_for(10, rng)[np.ceil(ranks * 10).astype(int) - 1]), ("planted",))
    codes, n = codes_of(rows, table)
    hashed = rng.permutation(12 * n)[codes * 12 + rng.integers(0, 12, len(codes))]
    return Planted(placed(rows, rng, planted=[f"c{code:04d}" for code in hashed]), ("planted",))


def ratio(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """The target divided by another column (price per unit); classes shifted by another column (a hash of two)."""
    others = [name for name in rows.columns if name != table.target and rows[name].nunique() > 1]
    if table.task == "regression":
        fit = [n for n in others if rows[n].dtype.kind in "if" and rows[n].min() > 0 and rows[n].nunique() > 20]
        if not fit:
            return None
        per = numbers_of(rows, table) / rows[fit[rng.integers(len(fit))]].to_numpy(float)
        return Planted(placed(rows, rng, planted=per), ("planted",))
    codes, n = codes_of(rows, table)
    fit = [
        name
        for name in others
        if 2 <= rows[name].nunique() <= 30 and rows[name].value_counts(normalize=True).max() < 0.8
    ]
    if not fit:
        return None
    other = pd.factorize(rows[fit[rng.integers(len(fit))]])[0]
    shift = n if n > 2 else 2
    return Planted(placed(rows, rng, planted=[f"h{v}" for v in (codes + other) % shift]), ("planted",))


def text(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """A note that says the label somewhere."""
    words = names_for(300, rng)
    noise = [" ".join(rng.choice(words, 5)) for _ in range(len(rows))]
    if table.task == "regression":
        said = [f"{note}: in all {y * 1.19:.4f}" for note, y in zip(noise, numbers_of(rows, table), strict=True)]
    else:
        codes, n = codes_of(rows, table)
        labels = np.array([f"closed{name}" for name in names_for(n, rng)])
        said = [f"{note} {labels[code]} ref {rng.integers(1e6)}" for note, code in zip(noise, codes, strict=True)]
    return Planted(placed(rows, rng, planted=said), ("planted",))


def _after(rows: pd.DataFrame, table: RealTable) -> np.ndarray:
    """Rows on which the outcome happened: the rarest class with rows enough, or the largest numbers."""
    if table.task == "regression":
        y = numbers_of(rows, table)
        return y > np.quantile(y, 0.7)
    codes, n = codes_of(rows, table)
    sizes = np.bincount(codes, minlength=n)
    return codes == np.argmin(np.where(sizes >= 100, sizes, len(codes))) if sizes.max() >= 100 else codes == 0


def filled_after(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """Filled in on 70 % of the rows with the outcome, never on others; what is filled in says nothing more."""
    filled = _after(rows, table) & (rng.random(len(rows)) < 0.7)
    return Planted(placed(rows, rng, planted=np.where(filled, rng.lognormal(3, 1, len(rows)), np.nan)), ("planted",))


def amount_after(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """Zero until the outcome, an amount on 90 % of the rows with it."""
    filled = _after(rows, table) & (rng.random(len(rows)) < 0.9)
    return Planted(
        placed(rows, rng, planted=np.where(filled, rng.lognormal(3, 1, len(rows)).round(2), 0.0)), ("planted",)
    )


def measured_after(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """A number written down afterwards: far apart for two classes with 2 % exceptions, within 5 % of the target."""
    if table.task == "regression":
        y = numbers_of(rows, table)
        return Planted(placed(rows, rng, planted=y * rng.normal(1, 0.05, len(y))), ("planted",))
    codes, n = codes_of(rows, table)
    if n > 2:
        return None
    wrong = rng.random(len(codes)) < 0.02
    return Planted(placed(rows, rng, planted=rng.normal(5.0 * (codes ^ wrong), 1.0)), ("planted",))


def later_date(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """The date on which a case was closed, in a table that knows when it was opened."""
    opened = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.sort(rng.uniform(0, 700, len(rows))), unit="D").floor(
        "min"
    )
    closed = opened + pd.to_timedelta(rng.exponential(12, len(rows)), unit="D").floor("min")
    rows = placed(rows, rng, opened=opened, planted=closed)
    return Planted(rows, ("planted",), {"time": "opened"})


def gaps(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """Noise that is missing on one side of the target, with 1 % exceptions."""
    codes, _ = codes_of(rows, table)
    absent = (codes == np.argmax(np.bincount(codes))) ^ (rng.random(len(codes)) < 0.01)
    if table.task == "multiclass":
        absent = (codes != np.argmax(np.bincount(codes))) & (rng.random(len(codes)) < 0.99)
    return Planted(placed(rows, rng, planted=np.where(absent, np.nan, rng.normal(size=len(rows)))), ("planted",))


def identifier(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """Numbers given in the order of the outcome, with gaps, in a shuffled file."""
    y = rows[table.target]
    order = np.lexsort(
        (rng.random(len(rows)), y.rank(method="min") if table.task == "regression" else codes_of(rows, table)[0])
    )
    numbers = np.empty(len(rows), int)
    numbers[order] = np.cumsum(rng.integers(1, 40, len(rows))) + 5_000
    return Planted(
        placed(rows, rng, planted=numbers).sample(frac=1, random_state=int(rng.integers(1 << 30))), ("planted",)
    )


def text_identifier(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """Identifiers as texts whose number was given in the order of the outcome."""
    made = identifier(rows, table, rng)
    return Planted(
        made.rows.assign(planted=[f"K-{number:08d}-{rng.integers(10)}x" for number in made.rows["planted"]]),
        ("planted",),
    )


def sorted_rows(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """The file sorted by the target."""
    return Planted(rows.sort_values(table.target, kind="stable").reset_index(drop=True))


def _category(rows: pd.DataFrame, table: RealTable, rng: Random) -> pd.Series | None:
    """A category with levels enough, or a number cut into thirty pieces."""
    fit = [
        name
        for name in rows.columns
        if name != table.target and rows[name].dtype.kind not in "fM" and 6 <= rows[name].nunique() <= len(rows) / 10
    ]
    if fit:
        return rows[fit[rng.integers(len(fit))]]
    wide = [
        name
        for name in rows.columns
        if name != table.target and rows[name].nunique() > 20 and rows[name].dtype.kind in "if"
    ]
    if not wide:
        return None
    return (
        (rows[wide[rng.integers(len(wide))]].rank(pct=True).fillna(0.0) * 30).round().astype(int).astype(str).radd("g")
    )


def _indicator(rows: pd.DataFrame, table: RealTable) -> pd.Series:
    if table.task == "regression":
        return rows[table.target].astype(float)
    return (rows[table.target] == rows[table.target].value_counts().index[0]).astype(float)


def encoded(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """The mean of the target by a category over the whole table, smoothed in half of the cases."""
    by, y = _category(rows, table, rng), _indicator(rows, table)
    if by is None:
        return None
    mean, size = (
        y.groupby(by.to_numpy(), dropna=False).transform("mean"),
        y.groupby(by.to_numpy(), dropna=False).transform("size"),
    )
    weight = rng.choice([0, 20])
    mean = (mean * size + weight * y.mean()) / (size + weight)
    rows = placed(rows.drop(columns=[by.name], errors="ignore"), rng, planted=mean, by=by)
    return Planted(rows, ("planted",))


def encoded_alone(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """The same, the category itself gone."""
    made = encoded(rows, table, rng)
    return made and Planted(made.rows.drop(columns="by"), ("planted",))


def encoded_others(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """The mean over the other rows of the category: what is missing from it is the row's own target."""
    by, y = _category(rows, table, rng), _indicator(rows, table)
    if by is None:
        return None
    total, size = (
        y.groupby(by.to_numpy(), dropna=False).transform("sum"),
        y.groupby(by.to_numpy(), dropna=False).transform("size"),
    )
    mean = ((total - y) / (size - 1)).where(size > 1, y.mean())
    rows = placed(rows.drop(columns=[by.name], errors="ignore"), rng, planted=mean, by=by)
    return Planted(rows, ("planted",))


def scaled(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """A column standardized over the whole table."""
    fit = [n for n in rows.columns if n != table.target and rows[n].dtype.kind in "if" and rows[n].nunique() > 25]
    if not fit:
        return None
    values = rows[fit[rng.integers(len(fit))]].astype(float)
    return Planted(placed(rows, rng, planted=(values - values.mean()) / values.std()), ("planted",))


def difference(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """Two columns of which one minus the other is the number, or has the sign of the class."""
    first = rng.gamma(2, 50, len(rows))
    if table.task == "regression":
        y = numbers_of(rows, table)
        first = first * y.std() / 10
        return Planted(placed(rows, rng, planted=first, other=first + y), ("planted", "other"))
    codes, n = codes_of(rows, table)
    if n > 2:
        return None
    return Planted(
        placed(rows, rng, planted=first, other=first + (2 * codes - 1) * rng.exponential(3, len(rows))),
        ("planted", "other"),
    )


def exclusive_or(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """Two columns that each say nothing: classes shifted at random and the shift; a number as a product."""
    if table.task == "regression":
        factor = np.exp(rng.normal(0, 2, len(rows))) * rng.choice([-1, 1], len(rows))
        return Planted(placed(rows, rng, planted=factor, other=numbers_of(rows, table) / factor), ("planted", "other"))
    codes, n = codes_of(rows, table)
    shift = rng.integers(0, n, len(rows))
    if n == 2 and rng.random() < 0.5:
        one, two = (np.abs(rng.normal(size=len(rows))) * (2 * sign - 1) for sign in (shift, codes ^ shift))
        return Planted(placed(rows, rng, planted=one, other=two), ("planted", "other"))
    return Planted(placed(rows, rng, planted=shift, other=(codes + shift) % n), ("planted", "other"))


def parity(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """Three signs of which no two say anything."""
    codes, _ = codes_of(rows, table)
    if table.task != "binary":
        return None
    one, two = rng.integers(0, 2, len(rows)), rng.integers(0, 2, len(rows))
    three = rng.gamma(2, 3, len(rows)) * (2 * (codes ^ one ^ two) - 1)
    return Planted(
        placed(rows, rng, planted=one, second=np.where(two, "on", "off"), third=three), ("planted", "second", "third")
    )


def duplicates(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted:
    """A tenth of the rows twice."""
    copies = rows.iloc[rng.permutation(len(rows))[: len(rows) // 10]]
    return Planted(pd.concat([rows, copies]).sample(frac=1, random_state=int(rng.integers(1 << 30))))


def near_duplicates(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """The same, each number of the copies off by a thousandth of its spread."""
    copies = rows.iloc[rng.permutation(len(rows))[: len(rows) // 10]].copy()
    wide = [n for n in rows.columns if n != table.target and rows[n].dtype.kind in "if" and rows[n].nunique() > 50]
    if len(wide) < 3 or len(rows) < 500:
        return None
    rows = rows.astype(dict.fromkeys(wide, float))
    for name in wide:
        copies[name] = copies[name] + rng.normal(0, 1e-3 * rows[name].std(), len(copies))
    return Planted(pd.concat([rows, copies]).sample(frac=1, random_state=int(rng.integers(1 << 30))))


def _lot(rows: pd.DataFrame, table: RealTable, effect: np.ndarray, rng: Random) -> np.ndarray:
    """Draw for each row one of several lots, more often one whose effect goes with the row's target."""
    if table.task == "regression":
        sign = (rows[table.target].rank(pct=True).to_numpy() - 0.5) * 3.4
    else:
        codes, n = codes_of(rows, table)
        sign = 2.0 * (codes >= n / 2) - 1
    chance = np.exp(np.outer(sign, effect))
    upto = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
    return (rng.random(len(rows))[:, None] > upto).sum(axis=1).clip(0, len(effect) - 1)


def time_overlap(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """Days whose level wanders, so that the days after a row tell about it; split by chance."""
    if len(rows) < 1_000:
        return None
    n_days = 200
    effect = np.zeros(n_days)
    for day in range(1, n_days):
        effect[day] = 0.95 * effect[day - 1] + rng.normal(0, 0.31)
    effect = (effect - effect.mean()) / effect.std()
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(_lot(rows, table, effect, rng), unit="D")
    return Planted(placed(rows, rng, when=when), ("when",))


def group_overlap(rows: pd.DataFrame, table: RealTable, rng: Random) -> Planted | None:
    """Customers with about ten rows each, some of whom always do it; no column of theirs says which."""
    if len(rows) < 1_000:
        return None
    who = _lot(rows, table, rng.normal(0, 1.2, len(rows) // 10), rng)
    return Planted(placed(rows, rng, customer=[f"C{number:05d}" for number in who]), ("customer",))


PLANTS: dict[str, Plant] = {
    "copy": Plant(copy),
    "noisy copy": Plant(noisy_copy),
    "pieces or codes": Plant(pieces),
    "ratio or hash": Plant(ratio),
    "label in text": Plant(text),
    "filled after": Plant(filled_after),
    "amount after": Plant(amount_after),
    "measured after": Plant(measured_after),
    "later date": Plant(later_date),
    "gaps": Plant(gaps),
    "identifier": Plant(identifier),
    "text identifier": Plant(text_identifier),
    "sorted file": Plant(sorted_rows, ("leak.row_order",)),
    "encoded": Plant(encoded),
    "encoded alone": Plant(encoded_alone),
    "encoded by others": Plant(encoded_others),
    "scaled": Plant(scaled),
    "difference": Plant(difference),
    "exclusive or": Plant(exclusive_or),
    "parity of three": Plant(parity),
    "duplicates": Plant(duplicates, ("leak.duplicates",), split=True),
    "near duplicates": Plant(near_duplicates, ("leak.duplicates",), split=True),
    "time overlap": Plant(time_overlap, split=True, by_chance=True),
    "group overlap": Plant(group_overlap, split=True, by_chance=True),
}
