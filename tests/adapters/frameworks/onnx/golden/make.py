"""Make small ONNX files as skl2onnx exports pipelines: ``python make.py`` where skl2onnx==1.20.0 is installed."""

from pathlib import Path

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

HERE = Path(__file__).parent
random = np.random.RandomState(5)
X = random.normal(size=(120, 3)).astype("float32")
TWO = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
THREE = np.digitize(X[:, 0], [-0.5, 0.5])


def written(name, model, rows=X[:1], **options):
    """Write one file."""
    proto = to_onnx(model, rows, **{"target_opset": {"": 18, "ai.onnx.ml": 3}, **options})
    (HERE / f"{name}.onnx").write_bytes(proto.SerializeToString())


forest = RandomForestClassifier(4, max_depth=3, random_state=0).fit(X, TWO)
written("zipmap", forest)
written("labels", forest, options={"zipmap": False})
written("linear", make_pipeline(StandardScaler(), LogisticRegression()).fit(X, THREE), options={"zipmap": False})
written("svc", SVC(random_state=0).fit(X[:40], TWO[:40]), options={"zipmap": False})
written("regression", LinearRegression().fit(X, X[:, 0] * 2 + 1))
written("isolation", IsolationForest(n_estimators=3, max_samples=16, random_state=0).fit(X))
written("clusters", KMeans(n_clusters=3, n_init=1, random_state=0).fit(X))
written("opset11", forest, target_opset={"": 11, "ai.onnx.ml": 1}, options={"zipmap": False})

FRAME = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "n": np.arange(120) % 7})
COLUMNS = [("a", FloatTensorType([None, 1])), ("b", FloatTensorType([None, 1])), ("n", Int64TensorType([None, 1]))]
scaled = make_column_transformer((StandardScaler(), ["a", "b"]), remainder="passthrough")
model = make_pipeline(scaled, LogisticRegression()).fit(FRAME, TWO)
written("columns", model, None, initial_types=COLUMNS, options={"zipmap": False})

MIXED = FRAME.assign(w=np.where(X[:, 0] > 0, "x", "ü ñ"), v=np.where(X[:, 2] > 0, "", "b"))
TYPES = [*COLUMNS, ("w", StringTensorType([None, 1])), ("v", StringTensorType([None, 1]))]
encode = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), ["w", "v"]), (StandardScaler(), ["a", "b"]), remainder="passthrough"
)
model = make_pipeline(encode, LogisticRegression()).fit(MIXED, TWO)
written("mixed", model, None, initial_types=TYPES, options={"zipmap": False})

WORDS = pd.DataFrame({"w": np.where(X[:, 0] > 0, "x", "y")})
model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(WORDS, TWO)
written("texts", model, None, initial_types=[("w", StringTensorType([None, 1]))])
