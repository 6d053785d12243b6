"""Single rows while others send long batches, or ask a dear model beside: their p99 with and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from serving_bodies import OBJECT, OBJECTS
from serving_load import Load, Outcome, loads, put
from serving_models import Model, prepared
from serving_plan import Plan, answered
from serving_process import SERVER_CORES, SPARE_CORE, TWO_CORES, StartError
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


@dataclass(frozen=True)
class Long:
    """Work that takes long: what it is called, who does it, and what asks for it."""

    name: str
    server: Server
    requests: tuple[bytes, ...]


def mixed(plan: Plan) -> list[Table]:
    """Ask for single rows on a schedule; beside them, one client in a closed loop with something long."""
    model = prepared("trees")
    prepared("dear")
    table = Table(f"Single rows, {RATE_PER_S:g}/s on a schedule, beside long work", HEADS)
    works = (
        Long("1,000-row batches", SHIPLAP, (SHIPLAP.many.request(model.rows),)),
        Long("network of 5 ms", BOTH, tuple(DEAR.request([row]) for row in model.rows)),
    )
    for cores, work in product(([SERVER_CORES, TWO_CORES] if SPARE_CORE else [SERVER_CORES]), works):
        try:
            alone, beside, others = measured(plan, work, model, cores)
        except (StartError, OSError) as error:
            table.fail(work.name, error)
            continue
        add(table, work.name, len(cores), alone, beside, others)
    table.notes.append("of several rounds the one with the lowest p99 counts, for both")
    if not SPARE_CORE:
        table.notes.append("a server on two cores needs a third one for the load, which this machine has not")
    return [table]


def measured(plan: Plan, work: Long, model: Model, cores: Sequence[int]) -> tuple[Outcome, Outcome, Outcome]:
    """Return single rows alone, single rows beside the work, and the work."""
    requests = tuple(work.server.one.request([row]) for row in model.rows)
    seconds = max(2.0, plan.seconds)
    alone, besides = [], []
    with work.server.start(model, cores=cores) as running, loads() as pool, loads(behind=True) as other:
        singles = Load(running.port, requests, 64, seconds, running.pid, rate=RATE_PER_S)
        others = Load(running.port, work.requests, 1, seconds + 0.5, running.pid)
        pool.submit(put, singles).result()
        for _ in range(plan.rounds):
            alone.append(answered(pool.submit(put, singles).result()))
            busy = other.submit(put, others)
            besides.append(answered(pool.submit(put, singles).result()))
            done = answered(busy.result())
    return min(alone, key=p99_ms), min(besides, key=p99_ms), done


def p99_ms(told: Outcome) -> float:
    return told.quantile_ms(0.99)


def add(table: Table, name: str, cores: int, alone: Outcome, told: Outcome, others: Outcome) -> None:
    ratio = p99_ms(told) / p99_ms(alone)
    halves = (alone.quantile_ms(0.5), p99_ms(alone), told.quantile_ms(0.5), p99_ms(told))
    table.add(name, cores or "any", *halves, ratio, others.per_s)
    table.aims.append(Aim(f"{name}, {cores or 'any'} cores: p99 beside to alone", ratio, 2.0))
