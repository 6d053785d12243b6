"""What `pack` is given wrong, and what it says: one line, the step and the column, what to do, and no file."""

from __future__ import annotations

import io
import json
import pickle
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
import scipy.sparse
import sklearn
import skops.io
from onnx import TensorProto, helper
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from shiplap.core.errors import DoesNotHoldError, InputError, ShiplapError
from shiplap.core.sandbox import unsupported
from shiplap.engineer.deploy import certificate_report, pack, packing

confined = pytest.mark.skipif(bool(unsupported()), reason=f"no sandbox here: {unsupported()}")

GENERATOR = np.random.default_rng(0)
ROWS = pd.DataFrame(
    {
        "age": GENERATOR.integers(18, 90, 60).astype(float),
        "income": GENERATOR.normal(3.0, 1.0, 60).round(3),
        "plan": GENERATOR.choice(["basic", "gold"], 60),
    }
)
NUMBERS = ROWS[["age", "income"]]
LABELS = np.where(ROWS["age"] + 10 * ROWS["income"] > 85, "yes", "no")
DAYS = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(60), "D")


class Doubler(TransformerMixin, BaseEstimator):
    """A step of somebody's own."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X * 2


class Scaler(StandardScaler):
    """A step that derives from one that is known."""


class Guess(ClassifierMixin, BaseEstimator):
    """A classifier of somebody's own."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def piped(numbers: Any, categories: Any = None) -> Pipeline:
    """Return a fitted pipeline with a pipeline of `numbers` in a ColumnTransformer."""
    prepare = ColumnTransformer([("num", numbers, ["age", "income"]), ("cat", categories or OneHotEncoder(), ["plan"])])
    return Pipeline([("prepare", prepare), ("model", LogisticRegression())]).fit(ROWS, LABELS)


def double(X: Any) -> Any:
    return X * 2


PLAIN = LogisticRegression().fit(NUMBERS, LABELS)
ARRAYS = LogisticRegression().fit(NUMBERS.to_numpy(), LABELS)
WHOLE = piped(Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())]))
TEXTS = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit("a word " + ROWS["plan"], LABELS)
REGRESSION = Ridge().fit(NUMBERS, ROWS["age"])

TABLE: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "unfitted estimator": (LogisticRegression(), NUMBERS, {}, "LogisticRegression is not fitted.*call fit"),
    "unfitted step": (
        Pipeline([("scale", StandardScaler()), ("model", PLAIN)]), NUMBERS, {}, "^scale > StandardScaler.*not fitted"),
    "class": (LogisticRegression, NUMBERS, {}, "LogisticRegression is a class.*train it"),
    "function": (double, NUMBERS, {}, "type builtins.function belongs to no known framework"),
    "function as an estimator": (double, NUMBERS, {"framework": "sklearn"}, "function is no estimator of sklearn"),
    "lambda": (lambda X: X, NUMBERS, {}, "belongs to no known framework"),
    "nothing": (None, NUMBERS, {}, "NoneType belongs to no known framework"),
    "dict of a model": ({"model": PLAIN}, NUMBERS, {}, "builtins.dict belongs to no known framework"),
    "unknown class": (Guess().fit(NUMBERS, LABELS), NUMBERS, {}, "^Guess: no emitter.*its code cannot"),
    "custom transformer in a nested pipeline": (
        piped(Pipeline([("scale", StandardScaler()), ("own", Doubler())])), ROWS, {},
        "^prepare > num > own > Doubler: no emitter"),
    "subclass of a known step": (piped(Scaler()), ROWS, {}, "^prepare > num > Scaler.*derives from StandardScaler"),
    "lambda in a nested pipeline": (
        piped(Pipeline([("own", FunctionTransformer(lambda X: X))])), ROWS, {},
        "^prepare > num > own > FunctionTransformer: the function '<lambda>' is code"),
    "missing column": (WHOLE, NUMBERS, {}, "no column 'plan'.*fitted on"),
    "renamed column": (PLAIN, NUMBERS.rename(columns={"age": "Age"}), {}, "no column 'age'.*did you mean 'Age'"),
    "text where numbers were": (PLAIN, NUMBERS.assign(age="old"), {}, "^LogisticRegression.*'age' holds texts"),
    "text deep in a pipeline": (
        WHOLE, ROWS.assign(age="old"), {}, "^prepare > num > fill > SimpleImputer itself refuses.*'age' holds texts"),
    "text in some late rows": (
        WHOLE, ROWS.assign(age=[*ROWS["age"][:50].tolist(), *["old"] * 10]), {}, "fill > SimpleImputer: column 'age'"),
    "numbers as text": (PLAIN, NUMBERS.astype(str), {}, "column 'age' holds a category.*give numbers"),
    "numbers where text was": (WHOLE, ROWS.assign(plan=1.5), {}, "cat > OneHotEncoder.*'plan' holds float64"),
    "unknown categories": (WHOLE, ROWS.assign(plan="new"), {}, "cat > OneHotEncoder.*'new'.*that is column 'plan'"),
    "dates where numbers were": (PLAIN, NUMBERS.assign(age=DAYS), {}, "column 'age' holds datetime64"),
    "dates as text": (PLAIN, NUMBERS.assign(age=DAYS.astype(str)), {}, "'2026-01-01'.*'age' holds texts"),
    "booleans as text": (PLAIN, NUMBERS.assign(age="True"), {}, "'True'; column 'age' holds texts"),
    "complex numbers": (PLAIN, NUMBERS.assign(age=1j), {}, "Complex data not supported; column 'age' holds complex128"),
    "all missing": (PLAIN, NUMBERS.assign(age=np.nan), {}, "contains NaN; column 'age' holds missing values"),
    "all infinite": (PLAIN, NUMBERS.assign(age=np.inf), {}, "column 'age' holds infinite numbers"),
    "no rows": (PLAIN, NUMBERS.iloc[:0], {}, "no rows"),
    "no rows of an array": (ARRAYS, np.zeros((0, 2)), {}, "no rows"),
    "no data": (PLAIN, None, {}, "needs some rows.*pass rows"),
    "duplicate names": (PLAIN, pd.concat([NUMBERS, NUMBERS], axis=1), {}, "two columns are called 'age'.*rename"),
    "names of several levels": (PLAIN, pd.concat({"t": NUMBERS}, axis=1), {}, r"no column 'age'.*'t\.age'"),
    "target among the columns of an array": (
        ARRAYS, np.zeros((5, 3)), {}, "fitted on 2 columns, and the data has 3.*the target"),
    "sparse matrix": (ARRAYS, scipy.sparse.csr_matrix(NUMBERS.to_numpy()), {}, r"not a csr_matrix.*toarray\(\)"),
    "one row as a Series": (PLAIN, NUMBERS.iloc[0], {}, r"not a Series.*iloc\[:1\]"),
    "scalars": (PLAIN, {"age": 41.0, "income": 2.0}, {}, "make no table.*as many values"),
    "lists of several lengths": (ARRAYS, [[1.0, 2.0], [3.0]], {}, "make no table"),
    "path as rows": (PLAIN, "rows.csv", {}, r"not a str.*shiplap\.read"),
    "array of three axes": (ARRAYS, np.zeros((2, 2, 2)), {}, r"not an array of shape \(2, 2, 2\)"),
    "numbers for a model of texts": (TEXTS, pd.DataFrame({"t": [1.0]}), {}, "^tfidfvectorizer > TfidfVectorizer"),
    "classes of a regression": (REGRESSION, NUMBERS, {"classes": ("a", "b")}, "Ridge takes no classes.*leave"),
    "another framework": (REGRESSION, NUMBERS, {"framework": "onnx"}, "one of sklearn, not of onnx.*leave it out"),
    "other classes": (PLAIN, NUMBERS, {"classes": ("a", "b")}, "its own are no, yes"),
    "classes in one text": (PLAIN, NUMBERS, {"classes": "no,yes"}, "list of labels"),
    "preprocess of an estimator": (PLAIN, NUMBERS, {"preprocess": double}, "for networks.*FunctionTransformer"),
    "preprocess that is no function": (PLAIN, NUMBERS, {"preprocess": 3}, "function of tensors"),
    "unknown method": (REGRESSION, NUMBERS, {"method": "predict_proba"}, "Ridge has no method predict_proba.*predict"),
    "unknown framework": (PLAIN, NUMBERS, {"framework": "sklear"}, "'sklear'.*did you mean 'sklearn'"),
    "unknown option": (PLAIN, NUMBERS, {"metod": "predict"}, "'metod'.*did you mean 'method'"),
    "policy of another type": (PLAIN, NUMBERS, {"policy": "p"}, "policy needs to be a Policy, not a str"),
    "path of another type": (PLAIN, NUMBERS, {"path": 3}, "path needs to be"),
    "path in a missing folder": (PLAIN, NUMBERS, {"path": "nowhere/x.ship"}, "no folder 'nowhere'.*make it first"),
    "path that is a folder": (PLAIN, NUMBERS, {"path": "."}, "is a folder.*name a file"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_a_bad_model_or_bad_rows(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, rows, asked, said = TABLE[case]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ShiplapError) as caught:
        pack(model, rows, **{"path": "out.ship", **asked})
    assert not isinstance(caught.value, DoesNotHoldError)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert re.search(said, str(caught.value)), str(caught.value)
    assert list(tmp_path.iterdir()) == []


FINE: dict[str, tuple[Any, Any]] = {
    "one row": (PLAIN, NUMBERS.iloc[:1]),
    "list of lists": (ARRAYS, NUMBERS.to_numpy().tolist()),
    "list of dicts": (PLAIN, NUMBERS.to_dict("records")),
    "huge whole numbers": (PLAIN, NUMBERS.assign(age=[10**30 + step for step in range(60)])),
    "columns of a sparse frame": (PLAIN, NUMBERS.astype(pd.SparseDtype("float64", 0.0))),
    "the target still there": (PLAIN, NUMBERS.assign(churned=LABELS)),
}


@pytest.mark.parametrize("case", FINE)
def test_unusual_rows_that_are_taken(case: str, tmp_path: Path) -> None:
    model, rows = FINE[case]
    ship = pack(model, rows, path=tmp_path / "out.ship")
    assert ship.certificate.flips == 0
    assert len(ship.signature.names) == 2


@pytest.mark.parametrize("where", ["certify", "write_ship", "bill_of_materials"])
def test_an_interrupt_leaves_nothing(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(packing, where, stopped)
    with pytest.raises(KeyboardInterrupt):
        pack(PLAIN, NUMBERS, path=tmp_path / "out.ship")
    assert list(tmp_path.iterdir()) == []


def pickled(version: str = "") -> bytes:
    """Return a pickle of a pipeline, as another version of scikit-learn would have written it."""
    content = pickle.dumps(make_pipeline(StandardScaler(), LogisticRegression()).fit(NUMBERS, LABELS))
    own = sklearn.__version__
    assert own.encode() in content
    return content.replace(own.encode(), version.ljust(len(own), "0").encode()) if version else content


@confined
def test_the_version_that_wrote_a_pickle_is_said_once(tmp_path: Path) -> None:
    other = "1.1." + "0" * (len(sklearn.__version__) - 4)
    (tmp_path / "old.pkl").write_bytes(pickled(other))
    ship = pack(tmp_path / "old.pkl", NUMBERS, path=tmp_path / "old.ship", trust=True)
    found = [finding for finding in certificate_report(ship).findings if finding.check == "model.version"]
    assert [finding.verdict for finding in found] == ["note"]
    assert f"scikit-learn {other} wrote the model" in found[0].means
    (tmp_path / "new.pkl").write_bytes(pickled())
    fresh = pack(tmp_path / "new.pkl", NUMBERS, path=tmp_path / "new.ship", trust=True)
    assert all(finding.check != "model.version" for finding in certificate_report(fresh).findings)


@confined
def test_a_pickle_of_another_version_that_fails_names_it(tmp_path: Path) -> None:
    other = "1.1." + "0" * (len(sklearn.__version__) - 4)
    (tmp_path / "old.pkl").write_bytes(pickled(other).replace(b"scale_", b"skale_"))
    with pytest.raises(InputError, match=f"scikit-learn {other} wrote the model file.*install that version"):
        pack(tmp_path / "old.pkl", NUMBERS, path=tmp_path / "old.ship", trust=True)
    assert not (tmp_path / "old.ship").exists()


def skops_file() -> bytes:
    content: bytes = skops.io.dumps(PLAIN)
    return content


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "x")
    return buffer.getvalue()


def booster() -> str:
    model = lightgbm.LGBMRegressor(n_estimators=3, min_child_samples=5, verbose=-1).fit(NUMBERS, ROWS["age"])
    text: str = model.booster_.model_to_string()
    return text


def test_a_booster_of_an_older_format_is_proven_as_it_is_read(tmp_path: Path) -> None:
    assert "version=v4" in booster()
    (tmp_path / "old.txt").write_text(booster().replace("version=v4", "version=v3"))
    assert pack(tmp_path / "old.txt", NUMBERS, path=tmp_path / "out.ship").certificate.flips == 0


def network(opset: int = 18) -> bytes:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in "xz"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "g", ends[:1], ends[1:])
    made: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    content: bytes = made.SerializeToString()
    return content


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "none.skops": (bytes, "empty"),
    "half.skops": (lambda: skops_file()[:900], "no zip archive|cannot|can be read"),
    "other.skops": (zipped, "no item named 'schema.json'"),
    "text.skops": (lambda: b"hello", "zip|can be read"),
    "none.txt": (bytes, "no LightGBM model"),
    "text.txt": (lambda: b"hello", "no LightGBM model"),
    "half.txt": (lambda: booster().encode()[:900], "LightGBM"),
    "none.onnx": (bytes, "."),
    "half.onnx": (lambda: network()[:-9], "."),
    "new.onnx": (lambda: network(99), "ONNX Runtime cannot run the model: ONNX Runtime only"),
    "text.pkl": (lambda: b"hello", "is a pickle.*--trust"),
    "model.xyz": (lambda: b"hello", "no known kind.*known are"),
    "model.safetensors": (lambda: b"hello", "weights and no architecture"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_model_file(name: str, tmp_path: Path) -> None:
    make, said = FILES[name]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(ShiplapError) as caught:
        pack(tmp_path / name, NUMBERS, path=tmp_path / "out.ship")
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
    assert re.search(said, str(caught.value)), str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(InputError, match="holds no model that is known"):
        pack(tmp_path / "model", NUMBERS, path=tmp_path / "out.ship")
    (tmp_path / "model" / "MLmodel").write_text(":::: [x\n")
    with pytest.raises(InputError, match="cannot be read") as caught:
        pack(tmp_path / "model", NUMBERS, path=tmp_path / "out.ship")
    assert "\n" not in str(caught.value)


COMMANDS = {
    "corrupt file": (["half.skops"], "."),
    "empty pickle": (["none.pkl", "--trust"], "EOFError.*damaged"),
    "pickle of a missing class": (["gone.pkl", "--trust"], "has no attribute 'Gone'.*another version"),
    "missing column": (["good.skops", "--data", "less.csv"], "no column 'income'"),
    "missing folder": (["good.skops", "-o", "nowhere/x.ship"], "no folder 'nowhere'"),
}


@confined
def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    ROWS.to_csv(tmp_path / "rows.csv", index=False)
    ROWS[["age"]].to_csv(tmp_path / "less.csv", index=False)
    (tmp_path / "good.skops").write_bytes(skops_file())
    (tmp_path / "half.skops").write_bytes(skops_file()[:900])
    (tmp_path / "none.pkl").write_bytes(b"")
    (tmp_path / "gone.pkl").write_bytes(b"csklearn.linear_model\nGone\n.")
    before = {path.name for path in tmp_path.iterdir()}
    shiplap = [sys.executable, "-c", "from shiplap.cli.main import main; main()"]
    program = [*shiplap, "pack", "--json", "--data", "rows.csv"]

    def run(case: str) -> subprocess.CompletedProcess[str]:
        arguments = [*program, *COMMANDS[case][0]]
        return subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=300)

    with ThreadPoolExecutor(2) as pool:
        ends = dict(zip(COMMANDS, pool.map(run, COMMANDS), strict=True))
    for case, end in ends.items():
        assert end.returncode == 2, (case, end.stdout + end.stderr)
        assert "Traceback" not in end.stderr, case
        assert "Warning" not in end.stderr, case
        error = json.loads(end.stdout)
        assert re.search(COMMANDS[case][1], f"{error['error']} {error['hint']}"), (case, error)
    assert {path.name for path in tmp_path.iterdir()} - before <= {".shiplap"}
