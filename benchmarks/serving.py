"""What a request costs: Shiplap's server beside its own empty answer, FastAPI with ONNX and FastAPI with scikit-learn.

    .venv/bin/python benchmarks/serving.py [--seconds 3] [--rounds 3] [--connections 1 16 64]

One LightGBM model of 200 trees behind a scikit-learn pipeline (9 numbers, 3 categories), one machine, one run. Each
server is one process; the load comes from another and sends the next request of a connection when the answer to the
last is there. CPU is what the server's process used, from the operating system. FastAPI and its friends are installed
into ``build/serving-peers``. The ONNX peer gets Shiplap's own graph and looks categories up in a dict.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import itertools
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from shiplap.core.encoding import Category
from shiplap.engineer.deploy import pack

BUILD = Path(__file__).resolve().parent.parent / "build"
PEERS = BUILD / "serving-peers"
WORK = BUILD / "serving"
CATEGORIES = {"carrier": list("UADBEV"), "origin": ["EWR", "JFK", "LGA"], "dest": [f"D{i:02}" for i in range(40)]}
NUMBERS = [f"x{i}" for i in range(9)]

EMPTY = """
import asyncio, uvloop
from shiplap.engineer.deploy.serve.http.exchange import Route
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.http.listener import address_of, listen
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
async def main():
    listener = listen("127.0.0.1", 0)
    empty = lambda exchange: exchange.answer_json(b"{}")
    await Server(Routes([Route("POST", "/predict", empty)], empty), Limits()).start(listener)
    print(address_of(listener), flush=True)
    await asyncio.Event().wait()
uvloop.run(main())
"""

SHIPLAP = """
import sys
from shiplap.engineer.deploy.serve import serve
serve(sys.argv[1], port=0, ready=lambda url: print(url, flush=True))
"""

PEER = """
import json, sys, socket
from pathlib import Path
import uvicorn
from fastapi import FastAPI
from pydantic import create_model
kind, folder = sys.argv[1], Path(sys.argv[2])
facts = json.loads((folder / "facts.json").read_text())
codes = facts["codes"]
Row = create_model("Row", **{name: (str if name in codes else float, ...) for name in facts["columns"]})
app = FastAPI()
if kind == "onnx":
    import numpy as np, onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "graph.onnx", options)
    source, target = session.get_inputs()[0].name, session.get_outputs()[0].name
    @app.post("/predict")
    async def predict(row: Row) -> dict[str, float]:
        sent = row.model_dump()
        values = [codes[name].get(sent[name], -1.0) if name in codes else sent[name] for name in facts["columns"]]
        out = session.run([target], {source: np.array([values])})[0][0]
        return {"no": float(out[0]), "yes": float(out[1])}
else:
    import joblib, pandas as pd
    pipeline = joblib.load(folder / "pipeline.joblib")
    @app.post("/predict")
    async def predict(row: Row) -> dict[str, float]:
        out = pipeline.predict_proba(pd.DataFrame([row.model_dump()]))[0]
        return {"no": float(out[0]), "yes": float(out[1])}
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
print(f"http://127.0.0.1:{port}", flush=True)
uvicorn.run(app, host="127.0.0.1", port=port, access_log=False, log_level="warning")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="What a request costs.")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--load", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        asyncio.run(load(options.load[0], int(options.load[1]), float(options.load[2]), int(options.load[3])))
        return
    prepare()
    python = str(PEERS / "bin" / "python")
    servers = {
        "empty answer": [sys.executable, "-c", EMPTY],
        "Shiplap": [sys.executable, "-c", SHIPLAP, str(WORK / "late.ship")],
        "FastAPI + ONNX": [python, "-c", PEER, "onnx", str(WORK)],
        "FastAPI + scikit-learn": [python, "-c", PEER, "sklearn", str(WORK)],
    }
    found = measure(servers, options)
    report(found, options.connections)


def prepare() -> None:
    """Train the model, pack it, and install the peers, once."""
    if not (WORK / "late.ship").exists():
        make_model()
    if not (PEERS / "bin" / "python").exists():
        same = ["numpy", "pandas", "scikit-learn", "lightgbm", "onnxruntime", "joblib", "scipy"]
        pins = [f"{name}=={importlib.metadata.version(name)}" for name in same]
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)
        pip = [PEERS / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "fastapi", "uvicorn[standard]", *pins], check=True)


def make_model() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    X = pd.DataFrame({name: random.normal(size=20_000) for name in NUMBERS})
    for name, texts in CATEGORIES.items():
        X[name] = random.choice(texts, len(X))
    score = X.x0 + X.x1 * (X.carrier == "U") - X.x2 * (X.origin == "JFK") + random.normal(size=len(X))
    coder = OrdinalEncoder(categories=list(CATEGORIES.values()), handle_unknown="use_encoded_value", unknown_value=-1)
    steps = [
        ("code", ColumnTransformer([("text", coder, list(CATEGORIES))], remainder="passthrough")),
        ("trees", LGBMClassifier(n_estimators=200, n_jobs=1, verbose=-1)),
    ]
    pipeline = Pipeline(steps).fit(X, np.where(score > 0, "yes", "no"))
    ship = pack(pipeline, X, path=WORK / "late.ship", name="late")
    joblib.dump(pipeline, WORK / "pipeline.joblib")
    (WORK / "graph.onnx").write_bytes(ship.graph)
    operations = ship.encoding.operations
    codes = {operation.column: codes_of(operation) for operation in operations if isinstance(operation, Category)}
    facts = {"columns": [operation.column for operation in operations], "codes": codes}
    (WORK / "facts.json").write_text(json.dumps(facts))
    row = {name: value if isinstance(value, str) else round(value, 3) for name, value in X.iloc[0].items()}
    (WORK / "row.json").write_text(json.dumps(row))


def codes_of(operation: Category) -> dict[str, float]:
    """Return the number of each category."""
    numbers = operation.values or tuple((float(place),) for place in range(len(operation.categories)))
    return {text: row[0] for text, row in zip(operation.categories, numbers, strict=True)}


def measure(servers: dict[str, list[str]], options: argparse.Namespace) -> dict[str, dict[int, dict[str, float]]]:
    """Return what each server took at each number of connections: the round with the least CPU of several in turn."""
    running = {name: subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for name, command in servers.items()}
    found: dict[str, dict[int, dict[str, float]]] = {name: {} for name in servers}
    try:
        ports = {name: re.search(r":(\d+)\s*$", server.stdout.readline())[1] for name, server in running.items()}
        time.sleep(5)
        for count, _, name in itertools.product(options.connections, range(options.rounds), servers):
            how = [ports[name], str(count), str(options.seconds), str(running[name].pid)]
            load = [sys.executable, __file__, "--load", *how]
            told = json.loads(subprocess.run(load, capture_output=True, check=True).stdout)
            if count not in found[name] or told["cpu_us"] < found[name][count]["cpu_us"]:
                found[name][count] = told
    finally:
        for server in running.values():
            server.kill()
            server.communicate()
    return found


async def load(port: str, connections: int, seconds: float, pid: int) -> None:
    """Keep `connections` busy for `seconds` and print what it took."""
    body = (WORK / "row.json").read_bytes()
    head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    times: list[float] = []
    counting = True

    class Client(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            self.ask()

        def ask(self):
            self.asked, self.data = time.perf_counter(), b""
            self.transport.write(request)

        def data_received(self, data):
            self.data += data
            head, _, rest = self.data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if length and len(rest) >= int(length[1]):
                assert head.startswith(b"HTTP/1.1 200"), self.data
                times.append(time.perf_counter() - self.asked)
                if counting:
                    self.ask()

    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(Client, "127.0.0.1", int(port))
    await asyncio.sleep(0.5)
    times.clear()
    used, started = cpu_seconds(pid), time.perf_counter()
    await asyncio.sleep(seconds)
    used, taken, done = cpu_seconds(pid) - used, time.perf_counter() - started, sorted(times)
    counting = False
    told = {
        "cpu_us": used / len(done) * 1e6,
        "per_s": len(done) / taken,
        "p50_ms": done[len(done) // 2] * 1e3,
        "p99_ms": done[int(len(done) * 0.99)] * 1e3,
    }
    print(json.dumps(told))


def cpu_seconds(pid: int) -> float:
    """Return what a process has used so far."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    shown = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, check=True, text=True).stdout
    parts = [float(part) for part in re.split("[:-]", shown.strip())]
    return sum(part * unit for part, unit in zip(reversed(parts), (1, 60, 3_600, 86_400), strict=False))


def report(found: dict[str, dict[int, dict[str, float]]], connections: list[int]) -> None:
    names = ["shiplap", "uvloop", "httptools", "onnxruntime"]
    print("versions:", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))
    heads = ["clients", "CPU us", "requests/s", "p50 ms", "p99 ms", "to empty", "to Shiplap"]
    print(f"{'':24}" + "".join(f"{head:>12}" for head in heads))
    for count in connections:
        for name, told in found.items():
            row = told[count]
            empty, own = found["empty answer"][count]["cpu_us"], found["Shiplap"][count]["cpu_us"]
            cells = [
                row["cpu_us"],
                row["per_s"],
                row["p50_ms"],
                row["p99_ms"],
                row["cpu_us"] / empty,
                row["cpu_us"] / own,
            ]
            print(f"{name:24}{count:12}" + "".join(f"{cell:12,.2f}" for cell in cells))


if __name__ == "__main__":
    main()
