"""Versions that change under load: every swap must hold when it is answered, and no request may fail."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from serving_load import Load, Outcome, loads, put
from serving_models import NAME, WORK, Model, prepared
from serving_plan import Plan
from serving_process import Running, StartError, ask, free_port
from serving_report import Aim, Table
from serving_servers import SHIPLAP, Server, shiplap

from shiplap.scoring import load

CLIENTS = 16
HEADS = ("", "swaps", "ms a swap", "requests", "failed", "p99 ms", "stale", "PSS MB before", "after")


@dataclass(frozen=True)
class Change:
    """A ship file that takes turns: two versions of one model, and where it stands."""

    path: Path
    versions: tuple[Model, ...]

    def put(self, place: int) -> str:
        """Put a version in its place at one stroke, and return its id."""
        version = self.versions[place % len(self.versions)]
        fresh = self.path.with_suffix(".fresh")
        shutil.copyfile(version.ship, fresh)
        fresh.replace(self.path)
        return load(version.ship).ship.id


def swaps(plan: Plan) -> list[Table]:
    """Replace the ship file and have it loaded, again and again, while clients ask without a pause."""
    table = Table(f"Hot swaps under load, {CLIENTS} clients", HEADS)
    for workers, count in ((1, 20 if plan.quick else 1_000), (2, 10 if plan.quick else 200)):
        change = Change(WORK / "changing.ship", (prepared("next"), prepared("trees")))
        admin = free_port()
        server = changing(change, workers, admin)
        try:
            measured(table, server, change, count, admin)
        except (StartError, OSError) as error:
            table.fail(server.name, error)
    table.notes.append("stale: of the answers that were asked for after a swap, those of the version before")
    return [table]


def changing(change: Change, workers: int, admin: int) -> Server:
    options = ("--workers", str(workers), "--admin-port", str(admin))
    return Server(
        f"Shiplap, {workers} worker{'s' * (workers > 1)}",
        lambda model, port: shiplap(change.path, port=port, options=options),
        SHIPLAP.one,
        SHIPLAP.many,
    )


def measured(table: Table, server: Server, change: Change, count: int, admin: int) -> None:
    change.put(1)
    model = prepared("trees")
    requests = tuple(server.one.request([row]) for row in model.rows)
    statuses: Counter[str] = Counter()
    slowest = 0.0
    with server.start(model) as running, loads() as pool:
        before_mb, _ = running.memory_mb()
        under = Load(running.port, requests, CLIENTS, 5.0, running.pid, warm_s=0.0)
        busy = pool.submit(put, under)
        times_ms, stale = [], 0
        for place in range(count):
            identity = change.put(place)
            started = time.perf_counter()
            reload(admin)
            times_ms.append((time.perf_counter() - started) * 1e3)
            stale += answering(running, server, model) != identity
            if busy.done():
                slowest = max(slowest, count_in(busy.result(), statuses))
                busy = pool.submit(put, under)
        slowest = max(slowest, count_in(busy.result(), statuses))
        after_mb, _ = running.memory_mb()
    total = sum(statuses.values())
    failed = total - statuses["200"]
    table.add(server.name, count, sum(times_ms) / count, total, failed, slowest, stale, before_mb, after_mb)
    table.aims += [Aim(f"{server.name}: failed requests", failed, 0), Aim(f"{server.name}: stale answers", stale, 0)]


def reload(admin: int) -> None:
    status, answer = ask(admin, f"/fleet/{NAME}/load", b"{}")
    if status != 200:
        raise StartError(f"a swap was answered {status}: {answer[:200]!r}")


def answering(running: Running, server: Server, model: Model) -> str:
    """Return the id of the ship that answers now."""
    _, answer = ask(running.port, server.one.path, server.one.write(model.rows[:1]))
    identity: str = json.loads(answer)["ship"]
    return identity


def count_in(told: Outcome, statuses: Counter[str]) -> float:
    statuses.update(told.statuses)
    return told.quantile_ms(0.99)
