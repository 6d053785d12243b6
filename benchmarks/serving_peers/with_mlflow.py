"""Save the pipeline once as MLflow does, to be answered with its probabilities.  with_mlflow.py FOLDER"""

import sys
from pathlib import Path

import joblib
import mlflow.sklearn

folder = Path(sys.argv[1])
if (folder / "mlflow").exists():
    sys.exit()
mlflow.sklearn.save_model(
    joblib.load(folder / "pipeline.joblib"),
    folder / "mlflow",
    pyfunc_predict_fn="predict_proba",
    serialization_format="cloudpickle",
)
