import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from shiplap.methods.metrics import row_loss
from shiplap.methods.pipelines import output_of
from shiplap.methods.question import pose
from shiplap.methods.splits import honest_split
from shiplap.scientist.train.calibrate import calibrated
from shiplap.scientist.train.candidates import Candidate


def candidate_of(leaves: int):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(4000, 3)), columns=list("abc"))
    rows["y"] = rng.random(4000) < 1 / (1 + np.exp(-rows["a"]))
    problem = pose(rows, question={"target": "y"})
    split = honest_split(problem)
    pipeline = Pipeline(
        [
            ("prepare", ColumnTransformer([("numbers", "passthrough", list("abc"))])),
            ("model", DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)),
        ]
    ).fit(problem.X.iloc[split.train], problem.labels[split.train])
    output = output_of(pipeline, problem.X.iloc[split.tune], "binary")
    loss = float(np.mean(row_loss("binary", problem.y[split.tune], output)))
    return problem, split, Candidate("tree", pipeline, output, loss)


def test_an_overconfident_model_gets_a_temperature_that_helps_on_the_test_rows():
    problem, split, candidate = candidate_of(400)
    chosen, said = calibrated(problem, split, candidate)
    assert said.verdict == "good"
    assert isinstance(chosen.pipeline.named_steps["model"], CalibratedClassifierCV)
    X, y = problem.X.iloc[split.test], problem.y[split.test]
    before, after = (
        np.mean(row_loss("binary", y, output_of(pipeline, X, "binary")))
        for pipeline in (candidate.pipeline, chosen.pipeline)
    )
    assert after < before
    assert chosen.tune_loss < candidate.tune_loss


def test_an_honest_model_is_left_alone():
    problem, split, candidate = candidate_of(6)
    chosen, said = calibrated(problem, split, candidate)
    assert chosen is candidate
    assert said.verdict == "note"
