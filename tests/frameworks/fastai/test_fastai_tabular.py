"""Tabular learners of fastai become ship files with their preprocessing."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.tabular.all import (
    Categorify,
    CategoryBlock,
    FillMissing,
    Learner,
    Normalize,
    RandomSplitter,
    RegressionBlock,
    TabularPandas,
    TabularProc,
    range_of,
    tabular_learner,
)

import shiplap
from shiplap.core.errors import RefusedError, TableError
from shiplap.core.ship import Ship
from shiplap.scoring import Scorer

torch.set_num_threads(1)
PROCS = (Categorify, FillMissing, Normalize)
CATEGORIES, NUMBERS = ["city", "grade", "member"], ["age", "income", "kids"]

pytestmark = pytest.mark.filterwarnings("ignore:The given NumPy array is not writable:UserWarning")


def people(n: int = 300) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "city": random.choice(["Aix", "Bern", "Çeşme", ""], n),
            "grade": random.choice([1, 2, 5], n),
            "member": random.choice([True, False], n),
            "age": random.normal(40, 10, n),
            "income": random.lognormal(3, 1, n),
            "kids": random.integers(0, 5, n),
            "left": random.choice(["no", "yes"], n),
            "spent": random.normal(100, 20, n),
            "visits": random.normal(3, 1, n),
        }
    )
    frame.loc[random.random(n) < 0.1, "age"] = np.nan
    frame.loc[random.random(n) < 0.1, "city"] = None
    return frame


def learned(
    target: str | list[str] = "left", procs: Any = PROCS, categories: Any = None, numbers: Any = None, **how: Any
) -> tuple[Learner, pd.DataFrame]:
    frame = people()
    block = how.pop("block", CategoryBlock if target == "left" else RegressionBlock)
    table = TabularPandas(
        frame,
        procs=list(procs),
        cat_names=list(CATEGORIES if categories is None else categories),
        cont_names=list(NUMBERS if numbers is None else numbers),
        y_names=target,
        y_block=block(),
        splits=RandomSplitter(seed=0)(range_of(frame)),
    )
    torch.manual_seed(0)
    learner = tabular_learner(table.dataloaders(bs=64), layers=[8, 4], **how)
    with learner.no_bar(), learner.no_logging():
        learner.fit(1)
    return learner, frame


CASES: dict[str, dict[str, Any]] = {
    "classifier with Categorify, FillMissing and Normalize": {},
    "regressor with y_range": {"target": "spent", "y_range": (0, 200)},
    "regressor of two targets": {"target": ["spent", "visits"]},
    "numbers filled without a column of their own": {"procs": (Categorify, FillMissing(add_col=False), Normalize)},
    "categories only": {"numbers": [], "procs": (Categorify,)},
    "numbers only": {"categories": [], "procs": (FillMissing(add_col=False),)},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_tabular_learner_becomes_a_ship_that_answers_as_get_preds(name: str, tmp_path: Path, covered: Any) -> None:
    learner, frame = learned(**CASES[name])
    ship = shiplap.pack(learner, frame, path=tmp_path / "people.ship")
    certificate = ship.certificate
    assert certificate.flips == 0
    assert certificate.rows > 1_000
    assert certificate.largest_difference < 1e-5
    assert ship.manifest.signature.outputs == (("spent", "visits") if "two targets" in name else ())
    covered("fastai", f"tabular: {name}", "proven", difference=certificate.largest_difference)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Learner, pd.DataFrame, Ship]:
    learner, frame = learned()
    return learner, frame, shiplap.pack(learner, frame, path=tmp_path_factory.mktemp("ship") / "people.ship")


def own(learner: Learner, rows: pd.DataFrame) -> np.ndarray:
    with learner.no_bar(), learner.no_logging(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learner.get_preds(dl=learner.dls.test_dl(rows, num_workers=0))[0].numpy()


def test_what_predict_says_is_what_the_ship_says(packed: Any) -> None:
    learner, frame, ship = packed
    scorer = Scorer(ship)
    assert scorer.ship.manifest.signature.classes == ("no", "yes")
    for index in range(3):
        with learner.no_bar(), learner.no_logging():
            _, place, probabilities = learner.predict(frame[CATEGORIES + NUMBERS].iloc[index])
        answer = scorer.predict_row(frame.iloc[index].to_dict())
        assert answer.prediction == ("no", "yes")[int(place)]
        assert answer.probabilities == pytest.approx(probabilities.tolist(), abs=1e-6)


def test_missing_unseen_and_category_typed_values_are_read_as_fastai_reads_them(packed: Any) -> None:
    learner, frame, ship = packed
    scorer = Scorer(ship)
    odd = frame.iloc[:6].assign(
        city=pd.Series(["Aix", None, "nowhere", "", "Çeşme", "Aix"], dtype="object"), grade=[1, 2, 9, 1, 5, 2]
    )
    odd.loc[0, "age"] = np.nan
    assert np.allclose(scorer.outputs(odd), own(learner, odd), atol=1e-6)
    assert np.array_equal(scorer.outputs(odd), scorer.outputs(odd.astype({"city": "category"})))


def test_a_number_missing_where_none_was_in_training_is_refused_by_the_original_alone(packed: Any) -> None:
    assert "missing (the original refuses)" in [kind.name for kind in packed[2].certificate.kinds]


class Doubled(TabularProc):
    def encodes(self, to: Any) -> None:
        to.conts = to.conts * 2


def test_a_step_that_is_not_fastais_own_is_refused(tmp_path: Path, covered: Any) -> None:
    learner, frame = learned(procs=(*PROCS, Doubled))
    with pytest.raises(RefusedError, match="Doubled: this preprocessing") as caught:
        shiplap.pack(learner, frame, path=tmp_path / "people.ship")
    covered("fastai", "tabular: a TabularProc of one's own", "refused", reason=caught.value.message)


def test_rows_that_lack_a_column_are_refused(packed: Any, tmp_path: Path) -> None:
    learner, frame, _ = packed
    with pytest.raises(TableError, match="no column 'income'"):
        shiplap.pack(learner, frame.drop(columns="income"), path=tmp_path / "people.ship")


def test_other_learners_are_refused_with_what_works(tmp_path: Path, covered: Any) -> None:
    learner, frame = learned()
    learner.dls.loaders = []
    with pytest.raises(RefusedError, match="no data loaders") as caught:
        shiplap.pack(learner, frame, path=tmp_path / "people.ship")
    covered("fastai", "a learner without data loaders", "refused", reason=caught.value.message)
