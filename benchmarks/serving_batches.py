"""Many rows a request: JSON and Arrow against the peers' own bodies."""

from __future__ import annotations

from dataclasses import replace

from serving_bodies import ARROW, COLUMNS, OBJECTS, ROWS, TENSORS
from serving_load import Load, Outcome
from serving_models import Model, prepared
from serving_plan import Plan, answered
from serving_process import StartError
from serving_report import Aim, Table
from serving_servers import SHIPLAP, Server

COUNT = 1_000
OURS = (
    replace(SHIPLAP, name="Shiplap, objects", many=OBJECTS),
    replace(SHIPLAP, name="Shiplap, tensors", many=TENSORS),
    replace(SHIPLAP, name="Shiplap, Arrow", many=ARROW),
)


def batches(plan: Plan) -> list[Table]:
    """One client sends 1,000 rows at a time."""
    model = prepared("trees")
    heads = ("", "kB sent", "p50 ms", "p99 ms", "CPU ms", "rows/s", "p50 to Shiplap", "CPU to Shiplap")
    table = Table(f"{COUNT:,} rows a request, one client: {model.label}", heads)
    found: dict[str, Outcome | StartError] = {}
    peers = [way for peer in plan.peers for way in ways(peer)]
    for server in [*OURS, *peers]:
        try:
            found[server.name] = measured(plan, server, model)
        except (StartError, OSError) as error:
            found[server.name] = StartError(str(error))
    ours = found[OURS[0].name]
    if isinstance(ours, StartError):
        raise ours
    for server in [*OURS, *peers]:
        told = found[server.name]
        if isinstance(told, StartError):
            table.fail(server.name, told)
        else:
            add(table, server, model, told, ours)
    against(table, ours, {peer.name: told for peer in peers if isinstance(told := found[peer.name], Outcome)})
    table.notes.append(f"bare calls of the runtime with {COUNT:,} rows: {model.own_us(COUNT) * COUNT / 1e3:.2f} ms")
    return [table]


def ways(peer: Server) -> list[Server]:
    """Return a peer with its bodies: FastAPI's in the way people write it, rows, and in the fastest, columns."""
    if peer.many is not COLUMNS:
        return [peer]
    return [replace(peer, name=f"{peer.name}, rows", many=ROWS), replace(peer, name=f"{peer.name}, columns")]


def against(table: Table, ours: Outcome, peers: dict[str, Outcome]) -> None:
    """Hold our way with objects to the best peer."""
    if not peers:
        return
    fastest = min(peers, key=lambda name: peers[name].quantile_ms(0.5))
    cheapest = min(peers, key=lambda name: peers[name].cpu_us)
    times = peers[fastest].quantile_ms(0.5) / ours.quantile_ms(0.5)
    table.aims += [
        Aim(f"p50 of the best peer ({fastest}) to Shiplap, objects", times, 5, at_most=False),
        Aim(
            f"CPU of the best peer ({cheapest}) to Shiplap, objects",
            peers[cheapest].cpu_us / ours.cpu_us,
            5,
            at_most=False,
        ),
    ]


def measured(plan: Plan, server: Server, model: Model) -> Outcome:
    with server.start(model) as running:
        shifted = [model.rows[start:] + model.rows[:start] for start in (0, 250, 500, 750)]
        requests = tuple(server.many.request(rows[:COUNT]) for rows in shifted)
        load = Load(running.port, requests, 1, plan.seconds, running.pid)
        return min((answered(plan.put(load)) for _ in range(plan.rounds)), key=lambda told: told.cpu_us)


def add(table: Table, server: Server, model: Model, told: Outcome, ours: Outcome) -> None:
    p50 = told.quantile_ms(0.5)
    table.add(
        server.name,
        len(server.many.request(model.rows[:COUNT])) / 1e3,
        p50,
        told.quantile_ms(0.99),
        told.cpu_us / 1e3,
        told.per_s * COUNT,
        p50 / ours.quantile_ms(0.5),
        told.cpu_us / ours.cpu_us,
    )
