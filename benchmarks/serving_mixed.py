"""Single rows while others send long batches, or ask a dear model beside: their p99 with and without."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from serving_bodies import OBJECT, OBJECTS
from serving_load import Load, Outcome, loads, put
from serving_models import Model, prepared
from serving_plan import Plan, answered
from serving_process import LOAD_CORES, SERVER_CORES
from serving_report import Aim, Table
from serving_servers import SHIPLAP, Server, shiplap

RATE_PER_S = 500.0
BOTH = replace(
    SHIPLAP,
    name="Shiplap, two models",
    command=lambda model, port: shiplap(model.ship, prepared("dear").ship, port=port),
    one=replace(OBJECT, path="/predict/late"),
    many=replace(OBJECTS, path="/predict/late"),
)
DEAR = replace(OBJECT, path="/predict/dear")
HEADS = (
    "",
    "server's cores",
    "p50 ms alone",
    "p99 ms alone",
    "p50 ms beside",
    "p99 ms beside",
    "p99 beside to alone",
    "of the others/s",
)


def mixed(plan: Plan) -> list[Table]:
    """Ask for single rows on a schedule; beside them, one client in a closed loop with something long."""
    model = prepared("trees")
    prepared("dear")
    table = Table(f"Single rows, {RATE_PER_S:g}/s on a schedule, beside long work", HEADS)
    batch = SHIPLAP.many.request(model.rows)
    dear = tuple(DEAR.request([row]) for row in model.rows)
    for cores in (tuple(SERVER_CORES), (*SERVER_CORES, *LOAD_CORES)):
        measured(table, plan, "1,000-row batches", SHIPLAP, model, (batch,), cores)
        measured(table, plan, "network of 5 ms", BOTH, model, dear, cores)
    table.notes.append("of several rounds the one with the lowest p99 counts, for both")
    table.notes.append("on two cores the load competes with the server for one of them")
    return [table]


def measured(
    table: Table, plan: Plan, name: str, server: Server, model: Model, long: tuple[bytes, ...], cores: tuple[int, ...]
) -> None:
    requests = tuple(server.one.request([row]) for row in model.rows)
    seconds = max(2.0, plan.seconds)
    with server.start(model, cores=cores) as running, loads(2) as pool:
        singles = Load(running.port, requests, 64, seconds, running.pid, rate=RATE_PER_S)
        others = Load(running.port, long, 1, seconds, running.pid, warm_s=0.5)
        pool.submit(put, singles).result()
        best: dict[bool, Outcome] = {}
        for _, beside in product(range(plan.rounds), (False, True)):
            long_work = pool.submit(put, replace(others, seconds=seconds + 0.5)) if beside else None
            told = answered(pool.submit(put, singles).result())
            if beside not in best or told.quantile_ms(0.99) < best[beside].quantile_ms(0.99):
                best[beside] = told
            if long_work:
                others_told = answered(long_work.result())
        add(table, name, len(cores), best[False], best[True], others_told)


def add(table: Table, name: str, cores: int, alone: Outcome, told: Outcome, others: Outcome) -> None:
    ratio = told.quantile_ms(0.99) / alone.quantile_ms(0.99)
    halves = (alone.quantile_ms(0.5), alone.quantile_ms(0.99), told.quantile_ms(0.5), told.quantile_ms(0.99))
    table.add(name, cores or "any", *halves, ratio, others.per_s)
    table.aims.append(Aim(f"{name}, {cores or 'any'} cores: p99 beside to alone", ratio, 2.0))
