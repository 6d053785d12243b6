"""What more rows would change: the chance of a go, what it would take, and the picture of it."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from shiplap.core.finding import Finding
from shiplap.core.report import Cell, Figure
from shiplap.methods.intervals import Interval
from shiplap.methods.policies import has_money
from shiplap.methods.question import Problem
from shiplap.scientist.assess.ceiling import Ceiling
from shiplap.scientist.assess.curve import Curve
from shiplap.scientist.assess.verdict import AHEAD, Comparison, Outlook

__all__ = ["curve_figure", "more_rows", "outlook_of"]

Floats: TypeAlias = npt.NDArray[np.float64]
_TIMES = (1.5, 2.0, 3.0, 5.0, AHEAD)
_DRAWS = 6_000
_HALF = 1.959964


def outlook_of(problem: Problem, found: Comparison, curve: Curve | None, ceiling: Ceiling) -> Outlook:
    """Say how likely more rows would make it a go.

    The true gain is drawn from the interval of the verdict, moves on as the learning curve says, stays below the
    ceiling, and is judged by an interval that narrows with the root of the test rows; what few dear rows make it
    longer on its lower side goes with the rows themselves (Hall 1988).
    """
    rng = np.random.default_rng(problem.brief.seed)
    spread = (found.gain.high - found.gain.low) / (2 * _HALF)
    n_draws = _DRAWS if curve is None else len(curve.gain.offset)
    today = found.gain.value + spread * rng.normal(size=n_draws)
    reach = found.gain.value - found.gain.low
    usual = min(reach, found.gain.high - found.gain.value)
    most = np.inf if ceiling.gain is None else ceiling.gain
    chances = []
    for times in _TIMES:
        gain = np.minimum(today + _rise(curve, times, rng.normal(size=n_draws)), max(most, found.gain.value))
        chances.append(float(np.mean(gain - usual / np.sqrt(times) - (reach - usual) / times > found.effort)))
    likely = [times for times, chance in zip(_TIMES, chances, strict=True) if chance >= 0.5]
    return Outlook(chances[-1], likely[0] if likely else None)


def _rise(curve: Curve | None, times: float, luck: Floats) -> Floats:
    """Draw by how much the gain rises with so many times the rows."""
    if curve is None:
        return np.zeros_like(luck)
    law, ahead = curve.gain, times * curve.now
    steps = law.expected(ahead) - law.expected(curve.now)
    return np.asarray(steps + law.noise * luck * np.sqrt(1 / curve.now + 1 / ahead))


def more_rows(problem: Problem, found: Comparison, curve: Curve) -> Finding:
    """Say what about as many rows again would buy."""
    more = int(float(f"{curve.now:.1g}"))
    gain = curve.gain.change(curve.now + more, curve.now)
    paid = has_money(problem)
    buys = f"{_range(gain)} {found.unit}" if paid else f"a {found.unit} lower by {_range(gain)}"
    if curve.area is not None:
        area = _plus_minus(curve.area.change(curve.now + more, curve.now))
        buys = f"{area} of AUC, {'worth ' if paid else ''}{buys}"
    return Finding(
        check="curve.more_rows",
        verdict="note",
        means=f"{more:,} more labelled rows to learn from, beside {curve.now:,}, would buy {buys} (90 % intervals)",
        value=gain.value,
    )


def _range(interval: Interval) -> str:
    low, high = (f"{end:,.0f}" if abs(interval.high) >= 100 else f"{end:.2g}" for end in (interval.low, interval.high))
    return f"{low} to {high}"


def _plus_minus(interval: Interval) -> str:
    return f"{interval.value:.3f} ± {(interval.high - interval.low) / 2:.3f}"


def curve_figure(problem: Problem, found: Comparison, curve: Curve) -> Figure:
    """Draw the trainings, the law through them, and where it leads with ten times the rows."""
    law = curve.gain
    sizes = np.sort(np.concatenate([curve.sizes, np.geomspace(law.smallest, AHEAD * max(curve.now, law.largest), 40)]))
    order = np.argsort(curve.sizes, kind="stable")
    at = np.full(len(sizes), np.nan)
    at[np.searchsorted(sizes, curve.sizes[order], side="left") + _repeat(curve.sizes[order])] = curve.gains[order]
    scores = [law.at(float(size)) for size in sizes]
    data: dict[str, list[Cell]] = {
        "rows": [float(size) for size in sizes],
        "law": [one.value if size <= law.largest else None for one, size in zip(scores, sizes, strict=True)],
        "ahead": [one.value if size >= law.largest else None for one, size in zip(scores, sizes, strict=True)],
        "low": [one.low for one in scores],
        "high": [one.high for one in scores],
        "trained": [None if np.isnan(gain) else float(gain) for gain in at],
    }
    brought = f"gain over '{found.simple.name}', {found.unit}"
    paid = has_money(problem)
    return Figure(
        name="learning_curve",
        title="What more rows to learn from would bring"
        if paid
        else f"How much more rows would lower the {found.unit}",
        kind="line",
        data=data,
        x="rows",
        y=("ahead", "law", "trained"),
        low="low",
        high="high",
        labels={
            "rows": "rows to learn from",
            "ahead": f"{brought}: expected",
            "law": "the law through the trainings",
            "trained": "trained and judged on the test rows",
            "low": "90 % interval",
        },
        strokes={"ahead": "dashed", "trained": "points"},
        marks=((float(curve.now), "today"),),
        levels=((found.effort, "the effort"),) if found.effort else ((0.0, found.simple.name),),
        log="x",
        note=f"{len(curve.sizes)} trainings on {law.smallest:,} to {law.largest:,} rows; the interval counts the doubt "
        "about the law, the luck of one training and the test rows.",
    )


def _repeat(ordered: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count equal neighbors from 0, so that equal sizes take places of their own."""
    return np.arange(len(ordered)) - np.searchsorted(ordered, ordered, side="left")
