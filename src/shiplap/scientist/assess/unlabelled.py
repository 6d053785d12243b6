"""Anomalies: whether rows can be found without labels, by looking unlike the rest."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from shiplap.methods.anomalies import Detector
from shiplap.methods.mixed import mixed
from shiplap.methods.question import Problem
from shiplap.methods.simple import Entrant
from shiplap.methods.splits import Split
from shiplap.scientist.assess.entrants import entered, taught_rows

__all__ = ["without_labels"]


def without_labels(problem: Problem, split: Split) -> Entrant:
    """Let a detector compete that is fitted on the train rows without their labels.

    Labels of the tune rows alone say from which oddness on acting pays.
    """
    train, matrix = taught_rows(problem, split), mixed(problem.X).matrix
    matrix = matrix[:, matrix[train].std(axis=0) > 0]
    detector = Detector(matrix[train], seed=problem.brief.seed)
    tuned, output = (detector.oddness(matrix[rows]).reshape(-1, 1) for rows in (split.tune, split.test))
    # Probabilities rise with the oddness, on a scale on which far and very far do not differ much.
    told = LogisticRegression().fit(np.arcsinh(tuned), problem.y[split.tune])
    before, after = (told.predict_proba(np.arcsinh(part)) for part in (tuned, output))
    return entered(problem, split, "oddness, without labels", before, after)
