"""Ten times the capacity on a schedule: what happens to accepted requests, to the rest, and to memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving_bodies import OBJECT, OBJECTS
from serving_load import Load, Outcome
from serving_models import Row, prepared
from serving_plan import Plan
from serving_process import Running, StartError
from serving_report import Aim, Table
from serving_servers import SHIPLAP

TIMES = 10
CLIENTS = 512
MOST_PER_S = 50_000  # what one process can put on its schedule
HEADS = (
    "",
    "capacity/s",
    "offered/s",
    "p99 ms at capacity",
    "accepted/s",
    "accepted p99 ms",
    "since sent",
    "own ms at capacity",
    "own p99 ms",
    "shed (503)",
    "errors",
    "unsent",
    "load's core %",
    "kept waiting %",
    "PSS MB before",
    "after",
)


@dataclass(frozen=True)
class Case:
    name: str
    model: str
    rows: int

    def requests(self, rows: Sequence[Row]) -> tuple[bytes, ...]:
        if self.rows == 1:
            return tuple(OBJECT.request([row]) for row in rows)
        return tuple(OBJECTS.request([*rows[start:], *rows[:start]][: self.rows]) for start in (0, 250, 500, 750))


CASES = (
    Case("network of 5 ms, single rows", "dear", 1),
    Case("network of 0.5 ms, single rows", "small", 1),
    Case("200 trees, 1,000 rows at a time", "trees", 1_000),
    Case("200 trees, single rows", "trees", 1),
)


def overload(plan: Plan) -> list[Table]:
    """Find the capacity in a closed loop, then offer ten times as much, whatever the answers."""
    title = f"Ten times the capacity for {plan.overload_s:g} s, on a schedule over {CLIENTS} connections"
    table = Table(title, HEADS)
    for case in CASES:
        model = prepared(case.model)
        try:
            with SHIPLAP.start(model) as running:
                measured(table, plan, case, running, case.requests(model.rows))
        except (StartError, OSError) as error:
            table.fail(case.name, error)
    table.notes += [
        "capacity is what 16 clients get in a closed loop",
        "latencies count from when a request was due, and once more since it was sent: what the server itself took",
        "own: processor time that the server used meanwhile, which is what a request would take had it the core alone",
        "unsent ones found no free connection until the end",
        f"one process offers at most {MOST_PER_S:,}/s, which is less than ten times the capacity of cheap rows",
    ]
    return [table]


def measured(table: Table, plan: Plan, case: Case, running: Running, requests: tuple[bytes, ...]) -> None:
    closed = plan.put(Load(running.port, requests, 16, plan.seconds, running.pid, own_time=True))
    if not len(closed.latencies):
        raise StartError(f"answered {dict(closed.statuses)}")
    before_mb, _ = running.memory_mb()
    rate = min(TIMES * closed.per_s, MOST_PER_S)
    told = plan.put(Load(running.port, requests, CLIENTS, plan.overload_s, running.pid, rate=rate, own_time=True))
    after_mb, _ = running.memory_mb()
    add(table, case, closed, rate, told, (before_mb, after_mb))
    table.aims.append(Aim(f"{case.name}: errors other than 503, and deaths", told.errors + (not running.alive), 0))
    if rate < MOST_PER_S:
        for text, of in (("", "latencies"), (", in the server's own time", "own_time")):
            ratio = told.quantile_ms(0.99, of) / closed.quantile_ms(0.99, of)
            table.aims.append(Aim(f"{case.name}: accepted p99 to that at capacity{text}", ratio, 2.0))


def add(
    table: Table,
    case: Case,
    closed: Outcome,
    rate: float,
    told: Outcome,
    memory_mb: tuple[float, float],
) -> None:
    table.add(
        case.name,
        closed.per_s,
        rate,
        closed.quantile_ms(0.99),
        told.per_s,
        told.quantile_ms(0.99),
        told.quantile_ms(0.99, "since_sent"),
        closed.quantile_ms(0.99, "own_time"),
        told.quantile_ms(0.99, "own_time"),
        told.statuses["503"],
        told.errors,
        told.unsent,
        told.spent.load_s / told.seconds * 100,
        told.spent.waited_s / told.seconds * 100,
        *memory_mb,
    )
