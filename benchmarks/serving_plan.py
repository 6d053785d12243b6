"""`Plan`: how long to measure and what, and the measuring that sections share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from serving_load import Load, Outcome, put
from serving_models import Model
from serving_process import Running, StartError
from serving_servers import Server

MOST_SHED = 0.01
"""Share of requests that may be refused with 503 where a stray process takes the server's core; it is told."""


@dataclass(frozen=True)
class Plan:
    """What was asked for on the command line, and the process that makes the load."""

    pool: ProcessPoolExecutor
    quick: bool
    seconds: float
    rounds: int
    connections: tuple[int, ...]
    overload_s: float
    peers: tuple[Server, ...]

    def put(self, load: Load) -> Outcome:
        return self.pool.submit(put, load).result()


def loads_on(running: Running, server: Server, model: Model, *, seconds: float, connections: int) -> Load:
    """Return a closed loop of single rows."""
    requests = tuple(server.one.request([row]) for row in model.rows)
    return Load(running.port, requests, connections, seconds, running.pid)


def answered(outcome: Outcome) -> Outcome:
    """Return it, or raise ``StartError`` where a server under no more than it can bear did not answer nearly all."""
    if outcome.errors or outcome.statuses["503"] > MOST_SHED * outcome.answers:
        raise StartError(f"answered {dict(outcome.statuses)}")
    return outcome


def least(plan: Plan, servers: Sequence[Server], model: Model) -> Mapping[str, Mapping[int, Outcome] | StartError]:
    """Measure servers side by side, in turn; of several rounds the one with the least processor time counts."""
    found: dict[str, dict[int, Outcome] | StartError] = {}
    with ExitStack() as stack:
        running: dict[str, Running] = {}
        for server in servers:
            try:
                running[server.name] = stack.enter_context(server.start(model))
                found[server.name] = {}
            except StartError as error:
                found[server.name] = error
        for connections in plan.connections:
            for _ in range(plan.rounds):
                for server in servers:
                    best = found[server.name]
                    if isinstance(best, StartError):
                        continue
                    load = loads_on(running[server.name], server, model, seconds=plan.seconds, connections=connections)
                    try:
                        told = answered(plan.put(load))
                    except (StartError, OSError) as error:
                        found[server.name] = StartError(str(error))
                        continue
                    if connections not in best or told.cpu_us < best[connections].cpu_us:
                        best[connections] = told
    return found
