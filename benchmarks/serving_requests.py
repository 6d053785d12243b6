"""Single rows: processor time a request, requests a second, latencies; and the model's own part of it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

from serving_load import Outcome
from serving_models import Model, prepared
from serving_plan import Plan, least, loads_on
from serving_process import StartError
from serving_report import Aim, Table
from serving_servers import ALL_PEERS, BY_ONNX, BY_SKLEARN, EMPTY, SCRIPTS, SHIPLAP

HEADS = (
    "",
    "clients",
    "CPU us",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "CPU to empty",
    "CPU to Shiplap",
    "load's core %",
    "kept waiting %",
)
IN_ALL = {"logistic": 1.5, "trees": 2.0}
COUNTING = replace(
    SHIPLAP,
    name="Shiplap, counting",
    command=lambda model, port: [sys.executable, str(SCRIPTS / "counting.py"), str(model.ship), str(port)],
)


def requests(plan: Plan) -> list[Table]:
    """Every peer answers with the trees; the two of FastAPI, the nearest, with the logistic regression too."""
    few = {BY_ONNX[0].name, BY_SKLEARN[0].name}
    return [
        table_of(plan, prepared("logistic"), [peer for peer in plan.peers if peer.name in few]),
        table_of(plan, prepared("trees"), list(plan.peers)),
    ]


def table_of(plan: Plan, model: Model, peers: list) -> Table:
    table = Table(f"One row a request: {model.label}, each server one process on one core", HEADS)
    found = dict(least(plan, [EMPTY, SHIPLAP], model))
    for peer in peers:
        found |= least(plan, [peer], model)
    ours, empty = found[SHIPLAP.name], found[EMPTY.name]
    for told in (ours, empty):
        if isinstance(told, StartError):
            raise told
    for connections in plan.connections:
        for name, told in found.items():
            if isinstance(told, StartError):
                table.fail(name, told)
            else:
                add(table, name, connections, told, empty, ours)
    for connections in plan.connections:
        own_part(table, plan, model, connections, ours[connections], empty[connections])
    most = max(plan.connections)
    against(table, "the best peer with ONNX", {peer.name for peer in BY_ONNX}, found, most, 15)
    against(table, "the best peer with scikit-learn", {peer.name for peer in BY_SKLEARN}, found, most, 300)
    table.notes.append(
        "where the load's core is near 100 %, requests/s are what the load can ask, not what is answered"
    )
    table.notes.append("kept waiting: the server was ready to run, and other processes of this machine had its core")
    table.notes += [f"{peer.name}: {peer.peer.version()}" for peer in ALL_PEERS if peer.name in found and peer.peer]
    return table


def add(table: Table, name: str, connections: int, told: dict, empty: dict, ours: dict) -> None:
    row: Outcome = told[connections]
    table.add(
        name,
        connections,
        row.cpu_us,
        row.per_s,
        row.quantile_ms(0.5),
        row.quantile_ms(0.99),
        row.cpu_us / empty[connections].cpu_us,
        row.cpu_us / ours[connections].cpu_us,
        row.spent.load_s / row.seconds * 100,
        row.spent.waited_s / row.seconds * 100,
    )
    if row.statuses["503"]:
        table.notes.append(f"{name}, {connections} clients: {row.statuses['503']} of {row.answers:,} refused with 503")


def own_part(table: Table, plan: Plan, model: Model, connections: int, ours: Outcome, empty: Outcome) -> None:
    """Set the model's own time beside what a request takes."""
    batch = rows_a_call(plan, model, connections)
    idle_s = max(0.0, ours.seconds - ours.spent.server_s - ours.spent.waited_s) / ours.answers * batch
    own_us = model.own_us(max(1, round(batch)), pause_s=idle_s)
    table.notes.append(
        f"{connections} clients: the model gets {batch:.1f} rows a call and takes {own_us:.1f} us a row at this pace; "
        f"all else takes {ours.cpu_us - own_us:.1f} us, an empty answer {empty.cpu_us:.1f} us"
    )
    table.aims += [
        Aim(f"{connections} clients, all but the model to an empty answer", (ours.cpu_us - own_us) / empty.cpu_us, 1.3),
        Aim(f"{connections} clients, in all to an empty answer", ours.cpu_us / empty.cpu_us, IN_ALL[model.key]),
    ]


def rows_a_call(plan: Plan, model: Model, connections: int) -> float:
    """Return how many rows the model gets at a time under this load."""
    with COUNTING.start(model) as running:
        load = loads_on(running, COUNTING, model, seconds=min(1.0, plan.seconds), connections=connections)
        plan.put(replace(load, warm_s=0.0))
    counts = json.loads(running.last_words())
    return counts["rows"] / counts["calls"]


def against(table: Table, text: str, names: set[str], found: dict, connections: int, bound: float) -> None:
    costs = {name: told[connections].cpu_us for name, told in found.items() if name in names and isinstance(told, dict)}
    if costs:
        best = min(costs, key=costs.__getitem__)
        ratio = costs[best] / found[SHIPLAP.name][connections].cpu_us
        table.aims.append(Aim(f"{connections} clients, CPU of {text} ({best}) to Shiplap", ratio, bound, at_most=False))
