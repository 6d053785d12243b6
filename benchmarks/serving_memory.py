"""Cold start and resident memory; what a second worker adds in memory and throughput."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from serving_load import Outcome
from serving_models import Model, prepared
from serving_plan import Plan, answered, loads_on
from serving_process import SPARE_CORE, TWO_CORES, Running, StartError
from serving_report import Aim, Table
from serving_servers import SHIPLAP, Server, own

TWO = own("Shiplap, 2 workers", "--workers", "2")


def memory(plan: Plan) -> list[Table]:
    """Start each server some times, ask it for a second, and read what it holds."""
    model = prepared("trees")
    table = Table(
        f"Cold start and memory: {model.label}",
        ("", "first answer s", "PSS MB", "USS MB", "workers", "PSS MB a worker", "processes"),
    )
    figures: dict[str, tuple[float, float]] = {}
    for server in [SHIPLAP, TWO, *plan.peers]:
        workers = 2 if server is TWO else 1
        try:
            cold_s, pss_mb, uss_mb, processes = started(plan, server, model)
        except (StartError, OSError) as error:
            table.fail(server.name, error)
            continue
        figures[server.name] = cold_s, pss_mb
        table.add(server.name, cold_s, pss_mb, uss_mb, workers, pss_mb / workers, processes)
    if SHIPLAP.name in figures:
        cold_s, pss_mb = figures[SHIPLAP.name]
        table.aims += [Aim("Shiplap's first answer, s", cold_s, 1.0), Aim("Shiplap's PSS, MB", pss_mb, 60)]
        if TWO.name in figures:
            table.notes.append(f"a second worker adds {figures[TWO.name][1] - pss_mb:.1f} MB")
    table.notes.append("PSS shares out what other processes of this machine have mapped too; USS leaves it out")
    return [table]


def started(plan: Plan, server: Server, model: Model) -> tuple[float, float, float, int]:
    """Return the median of some starts, and memory after a second of requests."""
    colds = []
    for _ in range(1 if plan.quick else 3):
        with server.start(model) as running:
            colds.append(running.cold_s)
            answered(plan.put(loads_on(running, server, model, seconds=1.0, connections=16)))
            pss_mb, uss_mb = running.memory_mb()
            processes = len(running.tree())
    return median(colds), pss_mb, uss_mb, processes


def workers(plan: Plan) -> list[Table]:
    """Two workers against one, free to run on both cores, where the load runs too."""
    table = Table(
        "Two workers against one, on two cores",
        ("", "model", "clients", "requests/s", "p99 ms", "CPU us", "throughput to one worker"),
    )
    for key, clients in (("trees", 64), ("dear", 8)):
        model = prepared(key)
        one: Outcome | None = None
        for server in (SHIPLAP, TWO):
            try:
                with server.start(model, cores=TWO_CORES) as running:
                    told = loaded(plan, running, server, model, clients)
            except (StartError, OSError) as error:
                table.fail(f"{server.name}, {key}", error)
                continue
            one = one or told
            ratio = told.per_s / one.per_s
            table.add(server.name, model.label, clients, told.per_s, told.quantile_ms(0.99), told.cpu_us, ratio)
    if not SPARE_CORE:
        table.notes.append(
            "the load shares the second core: it takes all it can with the trees, little with the network"
        )
    return [table]


def loaded(plan: Plan, running: Running, server: Server, model: Model, clients: int) -> Outcome:
    load = loads_on(running, server, model, seconds=plan.seconds, connections=clients)
    return answered(plan.put(replace(load, warm_s=1.0)))
