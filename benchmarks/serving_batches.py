"""Many rows a request: JSON and Arrow against the peers' own bodies."""

from __future__ import annotations

from dataclasses import replace

from serving_bodies import ARROW, OBJECTS, TENSORS
from serving_load import Load, Outcome
from serving_models import Model, prepared
from serving_plan import Plan, answered
from serving_process import StartError
from serving_report import Aim, Table
from serving_servers import SHIPLAP, Server

ROWS = 1_000
OURS = (
    replace(SHIPLAP, name="Shiplap, objects", many=OBJECTS),
    replace(SHIPLAP, name="Shiplap, tensors", many=TENSORS),
    replace(SHIPLAP, name="Shiplap, Arrow", many=ARROW),
)


def batches(plan: Plan) -> list[Table]:
    """One client sends 1,000 rows at a time."""
    model = prepared("trees")
    heads = ("", "kB sent", "p50 ms", "p99 ms", "CPU ms", "rows/s", "p50 to Shiplap", "CPU to Shiplap")
    table = Table(f"{ROWS:,} rows a request, one client: {model.label}", heads)
    found: dict[str, Outcome | StartError] = {}
    for server in [*OURS, *plan.peers]:
        try:
            found[server.name] = measured(plan, server, model)
        except (StartError, OSError) as error:
            found[server.name] = StartError(str(error))
    ours = found[OURS[0].name]
    if isinstance(ours, StartError):
        raise ours
    for server in [*OURS, *plan.peers]:
        told = found[server.name]
        if isinstance(told, StartError):
            table.fail(server.name, told)
        else:
            add(table, server, model, told, ours)
    peers = {peer.name: told for peer in plan.peers if isinstance(told := found[peer.name], Outcome)}
    if peers:
        best = min(peers, key=lambda name: peers[name].quantile_ms(0.5))
        ratio = peers[best].quantile_ms(0.5) / ours.quantile_ms(0.5)
        table.aims.append(Aim(f"p50 of the best peer ({best}) to Shiplap, objects", ratio, 5, at_most=False))
        best = min(peers, key=lambda name: peers[name].cpu_us)
        table.aims.append(
            Aim(
                f"CPU of the best peer ({best}) to Shiplap, objects", peers[best].cpu_us / ours.cpu_us, 5, at_most=False
            )
        )
    table.notes.append(f"bare calls of the runtime with {ROWS:,} rows: {model.own_us(ROWS) * ROWS / 1e3:.2f} ms")
    return [table]


def measured(plan: Plan, server: Server, model: Model) -> Outcome:
    with server.start(model) as running:
        shifted = [model.rows[start:] + model.rows[:start] for start in (0, 250, 500, 750)]
        requests = tuple(server.many.request(rows[:ROWS]) for rows in shifted)
        load = Load(running.port, requests, 1, plan.seconds, running.pid)
        return min((answered(plan.put(load)) for _ in range(plan.rounds)), key=lambda told: told.cpu_us)


def add(table: Table, server: Server, model: Model, told: Outcome, ours: Outcome) -> None:
    p50 = told.quantile_ms(0.5)
    table.add(
        server.name,
        len(server.many.request(model.rows[:ROWS])) / 1e3,
        p50,
        told.quantile_ms(0.99),
        told.cpu_us / 1e3,
        told.per_s * ROWS,
        p50 / ours.quantile_ms(0.5),
        told.cpu_us / ours.cpu_us,
    )
