"""The report of a run as the steps leave it, small enough to read."""

import math

import msgspec
import pytest

from shiplap.core.brief import Brief
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report
from shiplap.core.run import Run

BRIEF = Brief.make(
    target="arr_delay > 15",
    name="late",
    decision="hold a seat on a later connection",
    time="time_hour",
    test_from="2013-11-01",
    value={"tp": 60, "fp": -25, "fn": 0, "unit": "$"},
    private=("tailnum",),
)


def step(verb: str, inputs: dict[str, str], outputs: dict[str, str]) -> Run:
    return Run(
        id=f"{verb}-0123456789abcdef",
        verb=verb,
        inputs=inputs,
        outputs=outputs,
        parameters=msgspec.to_builtins(BRIEF),
        environment={"python": "3.11.2", "lightgbm": "4.7.0"},
        commit="3b16b6c1d2e3f4+",
        started="2026-11-23T09:00:00.123456+00:00",
        seconds=12.3456,
    )


def explored() -> Report:
    leaks = tuple(
        Finding(
            check="leak.alone",
            verdict="fail",
            means=f"{name} alone ranks the answer almost perfectly (AUC 0.99)",
            todo=f"say known_at for {name} in the brief if it is known in time",
            columns=(name,),
            value=0.99,
        )
        for name in ("dep_delay", "arr_time")
    )
    months = [f"2013-{month:02d}" for month in range(1, 13)]
    return Report(
        verb="explore",
        title="What the table holds",
        metrics={"n_rows": 336776, "n_columns": 19, "n_labelled": 327346, "base_rate": 0.2374123},
        findings=(
            *leaks,
            Finding(check="leak.alone", verdict="note", means="sched_arr_time follows sched_dep_time"),
            Finding(
                check="rows.unlabelled", verdict="note", means="9,430 rows without a label were left out", value=9430
            ),
            Finding(check="column.missing", verdict="warn", means="plane_year is missing in 16% of the rows"),
        ),
        tables=(
            DataTable(
                name="columns",
                title="Columns",
                columns=("column", "kind", "missing share", "distinct"),
                rows=(("carrier", "category", 0.0, 16), ("plane_year", "number", 0.1612, 46)),
            ),
            DataTable(name="leaks", title="Leaks", columns=("column", "test"), rows=(("dep_delay", "alone"),)),
        ),
        figures=(
            Figure(
                name="target_over_time",
                title="The share of late flights swings with the season",
                kind="line",
                data={
                    "month": months,
                    "share": [0.25, 0.24, 0.27, 0.31, 0.22, 0.33, 0.34, 0.25, 0.15, 0.18, 0.19, 0.3],
                },
                x="month",
                y=("share",),
                labels={"share": "Late share"},
            ),
            Figure(
                name="distribution.carrier",
                title="carrier",
                kind="bar",
                data={"value": ["UA", "B6", "EV"], "rows": [58665, 54635, 54173]},
                x="value",
                y=("rows",),
            ),
        ),
        run=step("explore", {"table": "ab" * 32}, {}),
    )


def assessed() -> Report:
    return Report(
        verb="assess",
        title="Is it worth it?",
        verdict="go",
        metrics={
            "gain_per_1000": 1290.456,
            "gain": 1290.456,
            "gain_low": 1101.2,
            "gain_high": 1402.9,
            "base_rate": 0.2374,
            "unit": "$",
            "best_simple": "rule: sched_dep_time up to 1730",
            "best_learned": "boosted trees",
        },
        findings=(Finding(check="verdict.gain", verdict="good", means="The gain is surely above nothing"),),
        figures=(
            Figure(
                name="policies",
                title="What each policy brings on the test rows",
                kind="interval",
                data={
                    "policy": ["do nothing", "act always", "rule: sched_dep_time up to 1730", "boosted trees"],
                    "value": [0.0, -4823.5, 310.2, 1600.6],
                    "low": [0.0, -4950.1, 250.9, 1480.0],
                    "high": [0.0, -4690.2, 370.1, 1720.0],
                },
                x="policy",
                y=("value",),
                low="low",
                high="high",
                labels={"value": "$ per 1,000 decisions"},
            ),
        ),
        tables=(
            DataTable(
                name="policies",
                title="What each policy brings on the test rows",
                columns=("policy", "learned", "$ per 1,000 decisions", "low", "high"),
                rows=(("do nothing", False, 0.0, 0.0, 0.0), ("boosted trees", True, 1600.6, 1480.0, 1720.0)),
            ),
        ),
        run=step("assess", {"table": "ab" * 32}, {}),
    )


def trained() -> Report:
    steps = [place / 50 for place in range(51)]
    money = [2600 * math.exp(-((place - 0.31) ** 2) * 12) - 1000 for place in steps]
    return Report(
        verb="train",
        title="A model that answers",
        metrics={
            "test_auc": 0.7421234, "test_log_loss": 0.4512, "test_brier": 0.1434, "linear_auc": 0.69871,
            "linear_log_loss": 0.4791, "constant_log_loss": 0.5321, "threshold": 0.3137254, "money_per_1000": 1601.77,
            "money_low": 1480.1, "money_high": 1722.9, "n_train": 230112, "n_test": 54221, "train_seconds": 41.2345,
            "chosen": "LightGBM, 212 trees", "unit": "$",
        },
        findings=(Finding(check="train.calibration", verdict="warn", means="Stated and observed shares differ by 3%"),),
        tables=(
            DataTable(
                name="slices",
                title="Where it fails",
                columns=("column", "value", "rows", "log loss"),
                rows=(("visib", "below 2", 1204, 0.71234), ("carrier", "EV", 9120, 0.58012)),
            ),
            DataTable(name="candidates", title="Candidates", columns=("model", "log loss"), rows=(("linear", 0.4791),)),
        ),
        figures=(
            Figure(
                name="value_curve",
                title="Acting from 31% on earns most",
                kind="line",
                data={"t": steps, "money": money, "low": [m - 120 for m in money], "high": [m + 120 for m in money]},
                x="t",
                y=("money",),
                low="low",
                high="high",
                labels={"t": "Threshold", "money": "$ per 1,000 decisions"},
                marks=((0.3137, "threshold 31%"),),
            ),
            Figure(
                name="calibration",
                title="What it states comes true",
                kind="line",
                data={"p": [0.05, 0.15, 0.3, 0.5, 0.75], "f": [0.06, 0.14, 0.32, 0.48, 0.77]},
                x="p",
                y=("f",),
                labels={"p": "Stated probability", "f": "Observed share"},
                diagonal=True,
            ),
            Figure(
                name="importance",
                title="The hour of departure drives it most",
                kind="bar",
                data={"column": ["sched_dep_time", "visib", "carrier"], "loss": [0.042, 0.0123456, 0.008]},
                x="column",
                y=("loss",),
                labels={"loss": "Growth of log loss when shuffled"},
            ),
        ),
        run=step("train", {"table": "ab" * 32}, {"model": "cd" * 32}),
    )  # fmt: skip


def packed() -> Report:
    return Report(
        verb="pack",
        title="Parity",
        verdict="within tolerance",
        metrics={"rows": 24812, "flips": 0, "ties": 0, "largest_difference": 3.1e-15, "ship": "ef" * 32},
        tables=(
            DataTable(
                name="kinds",
                title="By kind of row",
                columns=("kind", "rows", "largest difference", "flips", "ties"),
                rows=(("data", 20000, 3.1e-15, 0, 0), ("on a threshold", 1604, 2.2e-15, 0, 0)),
            ),
        ),
        run=step("pack", {"model": "cd" * 32}, {"ship": "ef" * 32}),
    )


def benched() -> Report:
    return Report(
        verb="bench",
        title="What a prediction costs",
        verdict="holds",
        metrics={
            "single_p50_us": 6.2134, "single_p99_us": 9.87, "original_p50_us": 8123.4, "speedup": 1307.4,
            "rows_per_s_1": 160000.1, "rows_per_s_32": 910000.0, "rows_per_s_1024": 1234567.8,
            "cold_start_ms": 182.3, "memory_mb": 31.26, "size_mb": 0.8123,
        },
        findings=(Finding(check="budget.p99_ms", verdict="good", means="One row stays within 1 ms", value=0.00987),),
        run=step("bench", {"ship": "ef" * 32}, {"ship": "ef" * 32}),
    )  # fmt: skip


def whole() -> Report:
    return Report(
        verb="run",
        title="late: hold a seat on a later connection?",
        verdict="go",
        findings=(
            Finding(
                check="run.quarantine",
                verdict="warn",
                columns=("dep_delay", "arr_time"),
                means="Left out as leaks: dep_delay, arr_time. Each knows the answer, or is known only after it.",
                todo="If one is known when the decision is made, say so in the brief (known_at), or --keep it.",
            ),
        ),
        metrics={"name": "late", "target": "arr_delay > 15"},
        parts=(explored(), assessed(), trained(), packed(), benched()),
    )


@pytest.fixture
def flights() -> Report:
    return whole()
