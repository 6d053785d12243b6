"""Folders that MLflow itself wrote, packed without it."""

import mlflow
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from shiplap.core.errors import InputError, UntrustedError
from shiplap.engineer.deploy import pack
from shiplap.scoring import load

ROWS = pd.DataFrame(
    {"color": ["red", "blue", "green", "blue"] * 30, "n": np.arange(120.0), "m": np.sin(np.arange(120))}
)
Y = (ROWS["n"] + 40 * (ROWS["color"] == "red") > 70).astype(int)


@pytest.fixture(scope="module")
def model():
    columns = make_column_transformer((OneHotEncoder(), ["color"]), (StandardScaler(), ["n", "m"]))
    return make_pipeline(columns, LogisticRegression()).fit(ROWS, Y)


def test_a_pickled_estimator_needs_trust_and_a_sandbox(model, tmp_path, covered):
    mlflow.sklearn.save_model(model, tmp_path / "model", serialization_format="cloudpickle")
    with pytest.raises(UntrustedError, match="is a pickle"):
        pack(tmp_path / "model", ROWS, path=tmp_path / "out.ship")
    ship = pack(tmp_path / "model", ROWS, path=tmp_path / "out.ship", trust=True)
    assert ship.certificate.flips == 0
    assert ship.id == pack(model, ROWS, path=tmp_path / "live.ship").id
    difference = ship.certificate.largest_difference
    covered("mlflow", "sklearn flavor, cloudpickle", "proven", difference=difference)


def test_a_skops_archive_needs_neither(model, tmp_path, covered):
    mlflow.sklearn.save_model(
        model, tmp_path / "model", serialization_format="skops", skops_trusted_types=["numpy.dtype"]
    )
    ship = pack(tmp_path / "model", ROWS, path=tmp_path / "out.ship")
    assert (load(ship.path).predict(ROWS) == model.predict(ROWS)).all()
    covered("mlflow", "sklearn flavor, skops", "proven", difference=ship.certificate.largest_difference)


def test_lightgbm_is_read_from_its_own_file(tmp_path, covered):
    X = ROWS[["n", "m"]]
    trees = LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(X, Y)
    mlflow.lightgbm.save_model(trees.booster_, tmp_path / "model")
    ship = pack(tmp_path / "model", X, path=tmp_path / "out.ship")
    assert ship.certificate.flips == 0
    covered("mlflow", "lightgbm flavor", "proven", difference=ship.certificate.largest_difference)


def test_a_description_that_leads_outside_is_refused(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.pkl").write_bytes(b"\x80\x04.")
    (folder / "MLmodel").write_text("flavors:\n  sklearn:\n    pickled_model: ../secret.pkl\n")
    with pytest.raises(InputError, match="names a file outside it"):
        pack(folder, ROWS, path=tmp_path / "out.ship", trust=True)
    (folder / "MLmodel").write_text("flavors:\n  spacy:\n    data: x\n")
    with pytest.raises(InputError, match="no flavor that can be packed; it has spacy"):
        pack(folder, ROWS, path=tmp_path / "out.ship")
    (folder / "MLmodel").write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(InputError, match="cannot be read"):
        pack(folder, ROWS, path=tmp_path / "out.ship")
