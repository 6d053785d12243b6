"""PyOD and ruptures, in an environment of their own: tables and series come as a pickle, answers go back as one."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import ruptures
from pyod.models.copod import COPOD
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest
from pyod.models.knn import KNN
from pyod.models.lof import LOF
from pyod.models.mcd import MCD


def detected(X: pd.DataFrame) -> dict[str, Any]:
    points = ((X - X.mean()) / X.std().replace(0, 1)).fillna(0).to_numpy()
    found = {}
    for detector in (IForest(random_state=0), ECOD(), COPOD(), LOF(), KNN(), MCD(random_state=0)):
        detector.fit(points)
        found[f"PyOD {type(detector).__name__}"] = np.nan_to_num(detector.decision_scores_)
    return found


def searched(series: np.ndarray) -> dict[str, list[int]]:
    """Search by squared error, at a penalty of twice the variance times log n; Pelt by KernelCPD, which is it in C.

    The variance is that of differences, as for independent noise, or (cautious, Binseg, Window) of the whole series.
    """
    n, signal = len(series), series[:, None]
    spread = np.diff(series)
    penalty = 2 * np.log(n) * max(float(np.median(np.abs(spread)) / 0.6745) ** 2 / 2, 1e-12)
    whole = 2 * np.log(n) * float(series.var())
    return {
        "ruptures Pelt": ruptures.KernelCPD(kernel="linear", min_size=5).fit(signal).predict(pen=penalty)[:-1],
        "ruptures Pelt, cautious": ruptures.KernelCPD(kernel="linear", min_size=5).fit(signal).predict(pen=whole)[:-1],
        "ruptures Binseg": ruptures.Binseg(model="l2", min_size=5, jump=1).fit(signal).predict(pen=whole)[:-1],
        "ruptures Window": ruptures.Window(width=40, model="l2", jump=1).fit(signal).predict(pen=whole)[:-1],
    }


if __name__ == "__main__":
    kind, asked, told = sys.argv[1:]
    answer = detected if kind == "anomalies" else searched
    cases = pickle.loads(Path(asked).read_bytes())
    Path(told).write_bytes(pickle.dumps({name: answer(case) for name, case in cases.items()}))
