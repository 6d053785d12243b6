import numpy as np
import onnx
import pandas as pd
import pytest

from shiplap.adapters.frameworks import framework_of
from shiplap.adapters.runtimes import runtimes
from shiplap.scoring import Encoder


@pytest.fixture(scope="session")
def rows():
    generator = np.random.default_rng(7)
    n = 700
    frame = pd.DataFrame(
        {
            "height": generator.normal(size=n),
            "price": generator.normal(size=n).round(2),
            "count": generator.integers(0, 5, n),
            "color": generator.choice(["red", "green", "blue", "gray", "pink", "teal"], n).astype(object),
            "shape": generator.choice(np.array(["round", "square", None], dtype=object), n),
            "at": pd.to_datetime("2013-01-01") + pd.to_timedelta(generator.integers(0, 31_536_000, n), unit="s"),
            "open": generator.random(n) < 0.5,
        }
    )
    frame.loc[generator.random(n) < 0.1, "height"] = np.nan
    frame.loc[generator.random(n) < 0.1, "at"] = pd.NaT
    return frame


@pytest.fixture(scope="session")
def targets(rows):
    noise = np.random.default_rng(8).normal(size=len(rows))
    score = rows["price"] + 0.3 * rows["count"] + (rows["color"] == "red") + noise
    return {
        "binary": (score > 1).to_numpy().astype(int),
        "texts": np.where(score > 1, "yes", "no"),
        "multiclass": np.digitize(score, [0.0, 1.5]),
        "regression": score.to_numpy(),
        "positive": np.abs(score.to_numpy()) + 0.1,
    }


@pytest.fixture(scope="session")
def difference():
    """Lower a model and return the largest difference between its answers and the graph's, on rows and thresholds."""

    def measure(model, X, *, thresholds=True):
        framework = framework_of(model)
        frame, columns = framework.sample(X, model)
        lowered = framework.lower(model, frame, columns)
        run = runtimes.get("onnxruntime")(lowered.graph).run
        encoder = Encoder(lowered.encoding)
        frames = [frame]
        for name, values in lowered.thresholds.items() if thresholds else ():
            chosen = values[:: max(1, len(values) // 40)]
            for beside in (chosen, np.nextafter(chosen, -np.inf), np.nextafter(chosen, np.inf)):
                base = frame.iloc[: len(beside)].astype({name: "float64"})
                frames.append(base.assign(**{name: beside[: len(base)]}))
        return max(
            float(np.max(np.abs(framework.outputs(model, one) - run(encoder.matrix(one))), initial=0.0))
            for one in frames
        )

    return measure


@pytest.fixture(scope="session")
def operators():
    """Return the names of the nodes of a lowered model, in order."""

    def names(model, X):
        framework = framework_of(model)
        frame, columns = framework.sample(X, model)
        graph = onnx.load_from_string(framework.lower(model, frame, columns).graph).graph
        return [node.op_type for node in graph.node]

    return names
