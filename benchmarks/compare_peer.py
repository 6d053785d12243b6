"""Runs in the environment of the peer: which columns does Evidently say have drifted, pair after pair of files."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset


def drifted(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    metrics = Report([DataDriftPreset()]).run(second, first).dict()["metrics"]
    found = []
    for metric in metrics:
        config = metric["config"]
        if config["type"].endswith(":ValueDrift"):
            by_p = "p_value" in config["method"]
            value = float(metric["value"])
            if (value < config["threshold"]) if by_p else (value >= config["threshold"]):
                found.append(config["column"])
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    answers = {}
    for name in json.loads((folder / "pairs.json").read_text()):
        first, second = (pd.read_parquet(folder / f"{name}.{side}.parquet") for side in ("first", "second"))
        start = time.process_time()
        answers[name] = {"columns": drifted(first, second), "cpu_s": time.process_time() - start}
    (folder / "answers.json").write_text(json.dumps(answers))
