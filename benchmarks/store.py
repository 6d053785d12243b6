"""The store against plain durable SQLite and plain durable files, in one run on one drive.

    python benchmarks/store.py [FOLDER]

Each line: what is done, the store's time, the peer's time, and their ratio (below 1 the store is faster). The peer is
the least code that keeps the same promise: SQLite in write-ahead mode with ``synchronous=FULL`` and one commit a call,
or a file that is written, forced to the disk, and renamed. Medians of interleaved repeats.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from shiplap.core.store import Store, open_store

ROWS = list(range(10_000))


def plain(folder: Path) -> sqlite3.Connection:
    db = sqlite3.connect(folder / "plain.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE points (run INTEGER, name TEXT, step INTEGER, value REAL, at REAL)")
    db.execute("CREATE INDEX points_by_run ON points (run, name)")
    db.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, body TEXT)")
    return db


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def compare(
    what: str, ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int, calls: int = 1
) -> None:
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    mine, peer = (statistics.median(times) / calls for times in zip(*pairs, strict=True))
    print(f"{what:<44} {mine * 1e3:>10.3f} ms {peer * 1e3:>10.3f} ms {mine / peer:>7.2f}")


def write_plainly(folder: Path, data: bytes) -> None:
    part, whole = folder / "part", folder / f"whole-{time.perf_counter_ns()}"
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(whole)
    fd = os.open(folder, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def measure(folder: Path, store: Store, db: sqlite3.Connection) -> None:
    run = store.begin("train", commit="")
    insert = "INSERT INTO points VALUES (1, 'loss', ?, 0.5, ?)"

    def batch() -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(insert, [(step, time.time()) for step in ROWS])
        db.execute("COMMIT")

    compare(
        "one metric call, durable",
        lambda: [store.metric(run, "loss", 0.5, step) for step in range(200)],
        lambda: [db.execute(insert, (step, time.time())) for step in range(200)],
        repeats=7,
        calls=200,
    )
    compare(
        "10,000 points in one batch, durable",
        lambda: store.metrics(run, [("loss", 0.5, step) for step in ROWS]),
        batch,
        repeats=7,
    )
    for _ in range(999):
        store.finish(store.begin("train", parameters={"trees": 200}, commit=""))
    bodies = [
        (one.id, json.dumps({name: getattr(one, name) for name in one.__struct_fields__})) for one in store.runs()
    ]
    db.executemany("INSERT INTO runs VALUES (?, ?)", bodies)
    compare(
        "1,000 runs listed and decoded",
        store.runs,
        lambda: [json.loads(body) for (body,) in db.execute("SELECT body FROM runs")],
        repeats=15,
    )
    compare(
        "one run with 10 metrics, durable",
        lambda: store.finish(store.begin("train", commit=""), metrics={f"metric-{k}": k for k in range(10)}),
        lambda: (db.execute("INSERT OR REPLACE INTO runs VALUES ('x', '{}')"), db.execute(insert, (1, 1.0))),
        repeats=50,
    )
    compare(
        "one object of 1 MB, hashed, durable",
        lambda: store.put(os.urandom(1 << 20)),
        lambda: write_plainly(folder, os.urandom(1 << 20)),
        repeats=25,
    )
    key, result = {"verb": "train", "seed": 1}, os.urandom(1 << 20)
    store.memo(key, lambda: result)
    (folder / "result").write_bytes(result)
    compare(
        "a step answered from the memo (1 MB), checked",
        lambda: store.memo(key, lambda: b""),
        lambda: hashlib.sha256((folder / "result").read_bytes()).hexdigest(),
        repeats=50,
    )


def main() -> None:
    parent = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()
    with tempfile.TemporaryDirectory(dir=parent, prefix="benchmark-") as name:
        folder = Path(name)
        print(f"{'':<44} {'Shiplap':>13} {'plain':>13} {'ratio':>7}")
        compare(
            "a new store, opened and closed",
            lambda: open_store(folder / f"{time.perf_counter_ns()}").close(),
            lambda: plain(Path(tempfile.mkdtemp(dir=folder))).close(),
            repeats=11,
        )
        db = plain(folder)
        with open_store(folder) as store:
            measure(folder, store, db)
        db.close()


if __name__ == "__main__":
    main()
