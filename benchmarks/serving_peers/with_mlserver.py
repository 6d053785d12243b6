"""Lay down a folder that ``mlserver start`` serves: scikit-learn's runtime, no worker processes.

with_mlserver.py FOLDER PORT
"""

import json
import sys
from pathlib import Path

folder, port = Path(sys.argv[1]), int(sys.argv[2])
place = folder / "mlserver"
place.mkdir(exist_ok=True)
settings = {
    "host": "127.0.0.1",
    "http_port": port,
    "grpc_port": port + 1,
    "metrics_port": port + 2,
    "parallel_workers": 0,
    "use_structured_logging": False,
    "debug": False,
}
model = {
    "name": "late",
    "implementation": "mlserver_sklearn.SKLearnModel",
    "parameters": {"uri": str(folder / "pipeline.joblib"), "extra": {"predict_fn": "predict_proba"}},
}
(place / "settings.json").write_text(json.dumps(settings))
(place / "model-settings.json").write_text(json.dumps(model))
