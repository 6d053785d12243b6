"""Model files that run code when they are read: nothing runs without trust, and nothing gets out with it."""

from __future__ import annotations

import contextlib
import cProfile
import io
import os
import pickle
import pydoc
import socket
import timeit
import zipfile
from pathlib import Path

import joblib
import msgspec
import numpy as np
import pandas as pd
import pytest
import skops.io
from lightgbm import Booster, LGBMClassifier
from numpy.testing import _private as testing
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import SVC

from shiplap.core.errors import InputError, UntrustedError
from shiplap.core.sandbox import unsupported
from shiplap.engineer.deploy import pack
from shiplap.scoring import load

confined = pytest.mark.skipif(bool(unsupported()), reason=f"no sandbox here: {unsupported()}")

ROWS = pd.DataFrame({"color": ["red", "blue", "red", "green"] * 10, "n": np.arange(40.0)})


class Gadget:
    """Calls something when it is unpickled."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def gadgets(marker: Path, port: int) -> dict[str, bytes]:
    """Return pickles that leave `marker` and call home, by gadgets that scanners of pickles let pass."""
    code = (
        f"import socket\nopen({str(marker)!r}, 'w').close()\n"
        f"socket.create_connection(('127.0.0.1', {port}), timeout=1).close()"
    )
    one = f"exec({code!r})"
    compressed, plain = io.BytesIO(), pickle.dumps(Gadget(exec, code))
    joblib.dump(Gadget(exec, code), compressed, compress=("zlib", 3))
    return {
        "exec": plain,
        "protocol 0": pickle.dumps(Gadget(exec, code), protocol=0),
        "compressed joblib": compressed.getvalue(),
        "system": pickle.dumps(Gadget(os.system, f"touch {marker}")),
        "cProfile": pickle.dumps(Gadget(cProfile.run, code)),
        "timeit": pickle.dumps(Gadget(timeit.timeit, one, "pass", timeit.default_timer, 1)),
        "pydoc": pickle.dumps(Gadget(pydoc.pipepager, "text", f"touch {marker}")),
        "numpy.testing": pickle.dumps(Gadget(testing.utils.runstring, code, {})),
        "truncated": plain + b"\x80\x04broken off",
        "before it breaks": pickle.dumps((Gadget(exec, code), list(range(1_000))))[:-40],
    }


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server


NAMES = sorted(gadgets(Path("marker"), 1))


def silent(server: socket.socket) -> bool:
    try:
        server.accept()
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize("gadget", NAMES)
def test_the_gadgets_work_where_nothing_holds_them(gadget, tmp_path, listening):
    marker = tmp_path / "marker"
    content = gadgets(marker, listening.getsockname()[1])[gadget]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "popen", lambda *_: None)
        with contextlib.suppress(EOFError, pickle.UnpicklingError, AttributeError, ValueError, IndexError, OSError):
            joblib.load(io.BytesIO(content))
    assert marker.exists() or gadget == "pydoc"


@pytest.mark.parametrize("gadget", NAMES)
@pytest.mark.parametrize("name", ["model.joblib", "model.pkl", "model.pt", "model.skops", "model.txt", "model.json"])
def test_nothing_is_run_without_trust(gadget, name, tmp_path, listening):
    marker, path = tmp_path / "marker", tmp_path / name
    path.write_bytes(gadgets(marker, listening.getsockname()[1])[gadget])
    with pytest.raises(InputError) as caught:
        pack(path, ROWS, path=tmp_path / "out.ship")
    assert not marker.exists()
    if name in {"model.joblib", "model.pkl", "model.pt"}:
        assert isinstance(caught.value, UntrustedError)
        assert "--trust" in caught.value.hint


@confined
@pytest.mark.parametrize("gadget", NAMES)
def test_nothing_gets_out_with_trust(gadget, tmp_path, listening):
    marker, path = tmp_path / "marker", tmp_path / "model.joblib"
    path.write_bytes(gadgets(marker, listening.getsockname()[1])[gadget])
    with pytest.raises(InputError):
        pack(path, ROWS, path=tmp_path / "out.ship", trust=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["model.joblib"]
    assert silent(listening)


@confined
@pytest.mark.parametrize("write", [joblib.dump, lambda model, path: path.write_bytes(pickle.dumps(model))])
def test_an_honest_pickle_becomes_the_ship_that_the_live_model_becomes(write, tmp_path):
    steps = [("codes", OneHotEncoder(handle_unknown="ignore")), ("model", RandomForestClassifier(5, random_state=0))]
    model = Pipeline(steps).fit(ROWS, ROWS["n"] > 20)
    write(model, tmp_path / "model.joblib")
    ship = pack(tmp_path / "model.joblib", ROWS, path=tmp_path / "file.ship", trust=True)
    live = pack(model, ROWS, path=tmp_path / "live.ship")
    assert ship.id == live.id
    assert ship.certificate.rows == live.certificate.rows
    assert ship.certificate.flips == 0
    assert len(ship.manifest.lineage["pickle"]) == 64
    assert (load(ship.path).predict(ROWS) == model.predict(ROWS)).all()


@confined
def test_arrays_and_a_method_reach_the_sandbox(tmp_path):
    X = np.arange(30.0).reshape(10, 3)
    joblib.dump(RandomForestClassifier(3, random_state=0).fit(X, X[:, 0] > 12), tmp_path / "model.joblib")
    ship = pack(tmp_path / "model.joblib", X, path=tmp_path / "out.ship", trust=True, method="predict")
    assert ship.signature.scores
    with pytest.raises(InputError, match="cannot be sent into the sandbox"):
        pack(tmp_path / "model.joblib", X, path=tmp_path / "out.ship", trust=True, preprocess=abs)


@confined
def test_a_ship_forged_in_the_sandbox_is_found_out(tmp_path):
    forged = io.BytesIO()
    with zipfile.ZipFile(forged, "w") as archive:
        archive.writestr("manifest.json", "{}")
    escape = f"import os\nopen('result', 'wb').write({forged.getvalue()!r})\nos._exit(0)"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Gadget(exec, escape)))
    with pytest.raises(InputError, match="ship"):
        pack(tmp_path / "model.pkl", ROWS, path=tmp_path / "out.ship", trust=True)
    assert not (tmp_path / "out.ship").exists()


@confined
def test_a_skops_archive_of_compiled_trees_is_read_in_the_sandbox_unasked(tmp_path):
    forest = RandomForestClassifier(5, random_state=0).fit(ROWS[["n"]], ROWS["n"] > 20)
    skops.io.dump(forest, tmp_path / "forest.skops")
    ship = pack(tmp_path / "forest.skops", ROWS[["n"]], path=tmp_path / "out.ship")
    assert ship.id == pack(forest, ROWS[["n"]], path=tmp_path / "live.ship").id


@confined
def test_a_native_file_is_read_in_the_sandbox_unasked_with_its_rows_and_policy(tmp_path, monkeypatch):
    rows = ROWS.assign(kind=pd.Categorical([30, 10, 20, 10] * 10))[["n", "kind"]]
    model = LGBMClassifier(n_estimators=3, min_child_samples=2, n_jobs=1, verbose=-1).fit(rows, ROWS["n"] > 20)
    model.booster_.save_model(tmp_path / "model.txt")
    live = pack(Booster(model_file=tmp_path / "model.txt"), rows, path=tmp_path / "live.ship")
    policy = msgspec.structs.replace(live.policy, threshold=0.25)
    monkeypatch.setattr("shiplap.engineer.deploy.packing.read_model", lambda _: pytest.fail("it is read here"))
    assert pack(tmp_path / "model.txt", rows, path=tmp_path / "file.ship").id == live.id
    ship = pack(tmp_path / "model.txt", rows, path=tmp_path / "own.ship", policy=policy)
    assert ship.policy == policy
    assert set(ship.manifest.lineage) == {"model"}


@confined
def test_support_vectors_that_are_fewer_than_said_crash_the_child_alone(tmp_path):
    X = np.arange(40.0).reshape(10, 4)
    model = SVC(kernel="linear").fit(X, X[:, 0] > 20)
    ship = pack(_dumped(model, tmp_path), X, path=tmp_path / "out.ship")
    assert ship.id == pack(model, X, path=tmp_path / "live.ship").id
    model.support_vectors_, model._n_support = np.zeros((0, 4)), np.array([400_000, 300_000], np.int32)
    with pytest.raises(InputError, match="sandbox"):
        pack(_dumped(model, tmp_path), X, path=tmp_path / "out.ship")


def _dumped(model, folder):
    skops.io.dump(model, folder / "model.skops")
    return folder / "model.skops"


def test_a_schema_that_nests_too_deep_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", "[" * 200_000 + "]" * 200_000)
    with pytest.raises(InputError, match="not a model file"):
        pack(tmp_path / "model.skops", ROWS, path=tmp_path / "out.ship")


MERGED = "a0: &a0 {k: v}\n" + "".join(f"a{i}: &a{i} {{<<: [{','.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 9))
DESCRIPTIONS = {
    "merged": MERGED,
    "deep": "[" * 10_000,
    "a zero byte": 'flavors: {lightgbm: {data: "a\\0b"}}',
    "a long name": f"flavors: {{lightgbm: {{data: {'a' * 5_000}}}}}",
    "no date": "x: 2020-13-45",
}


@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_a_hostile_description_of_a_folder_is_refused(kind, tmp_path):
    (tmp_path / "MLmodel").write_text(DESCRIPTIONS[kind])
    with pytest.raises(InputError, match="cannot"):
        pack(tmp_path, ROWS, path=tmp_path / "out.ship")


@confined
def test_a_skops_archive_of_a_strange_type_needs_trust(tmp_path):
    model = Pipeline([("print", FunctionTransformer(print)), ("model", RandomForestClassifier(3))])
    model.steps[1][1].fit(ROWS[["n"]], ROWS["n"] > 20)
    skops.io.dump(model, tmp_path / "model.skops")
    with pytest.raises(UntrustedError, match=r"builtins\.print"):
        pack(tmp_path / "model.skops", ROWS[["n"]], path=tmp_path / "out.ship")
    with pytest.raises(InputError, match="sandbox"):
        pack(tmp_path / "model.skops", ROWS[["n"]], path=tmp_path / "out.ship", trust=True)
