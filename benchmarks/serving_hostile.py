"""Clients that mean harm, or cannot help it: malformed requests, and headers that come a byte at a time."""

from __future__ import annotations

import random
import socket
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor

from serving_fuzz import malformed
from serving_load import Load, Outcome, loads, put
from serving_models import prepared
from serving_plan import Plan, answered
from serving_process import Running, ask
from serving_report import Aim, Table
from serving_servers import SHIPLAP

LIMIT_S = 5.0
REFUSALS = {"503", "505"}  # 505 is the word for a version of HTTP that is not spoken (RFC 9110, 15.6.6)
SLOW = 200
EVERY_S = 0.2
RATE_PER_S = 2_000.0


def hostile(plan: Plan) -> list[Table]:
    """Send malformed requests, then hold connections open with headers that never end."""
    return [fuzz(plan), loris(plan)]


def fuzz(plan: Plan) -> Table:
    count = 1_000 if plan.quick else 10_000
    table = Table(f"{count:,} malformed requests over raw sockets", ("outcome", "requests"))
    model = prepared("trees")
    with SHIPLAP.start(model) as running:
        before_mb, _ = running.memory_mb()
        found: Counter[str] = Counter()
        chance = random.Random(0)
        for place in range(count):
            found[attack(running.port, malformed(chance, model.rows))] += 1
            if place % 1_000 == 999:
                require_answer(running, model.rows)
        after_mb, _ = running.memory_mb()
        died = not running.alive
        traces = running.log.read_text(errors="replace").count("Traceback")
    for outcome, times in sorted(found.items()):
        table.add(outcome, times)
    failed = sum(times for outcome, times in found.items() if outcome.startswith("5") and outcome not in REFUSALS)
    table.aims += [
        Aim("crashes", int(died), 0),
        Aim("answers of 5xx but 503 and 505", failed, 0),
        Aim("left without an answer or an end", found["nothing"], 0),
        Aim("tracebacks in the log", traces, 0),
    ]
    table.notes.append(f"PSS before {before_mb:.1f} MB, after {after_mb:.1f} MB")
    return table


def attack(port: int, data: bytes) -> str:
    """Send bytes on a connection of their own, and say what came: a status, an end, or nothing in `LIMIT_S`."""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as client:
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(65_536)
            while client.recv(65_536):
                pass
        except TimeoutError:
            return "nothing"
        except OSError:
            return "reset"
    return answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "closed"


def require_answer(running: Running, rows: list) -> None:
    status, answer = ask(running.port, SHIPLAP.one.path, SHIPLAP.one.write(rows[:1]))
    if status != 200:
        raise RuntimeError(f"after malformed requests a good one is answered {status}: {answer[:200]!r}")


def loris(plan: Plan) -> Table:
    seconds = max(3.0, plan.seconds)
    table = Table(
        f"{SLOW} clients that send their headers a byte at a time, beside {RATE_PER_S:,.0f} requests/s on a schedule",
        ("", "p50 ms", "p99 ms", "answered/s", "errors"),
    )
    model = prepared("trees")
    requests = tuple(SHIPLAP.one.request([row]) for row in model.rows)
    with SHIPLAP.start(model) as running, loads() as pool, loads(behind=True) as slow:
        load = Load(running.port, requests, 64, seconds, running.pid, rate=RATE_PER_S)
        pool.submit(put, load).result()
        without, beside = [], []
        for _ in range(plan.rounds):
            without.append(answered(pool.submit(put, load).result()))
            held = hold(slow, running.port, seconds)
            beside.append(answered(pool.submit(put, load).result()))
            left = held.result()
    found = {"without them": min(without, key=p99_ms), "with them": min(beside, key=p99_ms)}
    for name, told in found.items():
        table.add(name, told.quantile_ms(0.5), p99_ms(told), told.per_s, told.errors)
    table.notes.append(f"{left} of the slow connections were open at the end; of several rounds the best counts")
    ratio = p99_ms(found["with them"]) / p99_ms(found["without them"])
    table.aims.append(Aim("p99 of others with them to without", ratio, 2.0))
    return table


def p99_ms(told: Outcome) -> float:
    return told.quantile_ms(0.99)


def hold(pool: ProcessPoolExecutor, port: int, seconds: float) -> Future[int]:
    """Start the slow clients and let them settle."""
    held = pool.submit(drip, port, seconds + 1.0)
    time.sleep(0.5)
    return held


def drip(port: int, seconds: float) -> int:
    """Open slow connections, send each a byte now and then, and return how many are open at the end."""
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW)]
    head = b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"a" * 10_000
    until = time.perf_counter() + seconds
    sent = 0
    while time.perf_counter() < until:
        for client in list(clients):
            try:
                client.send(head[sent : sent + 1])
            except OSError:
                clients.remove(client)
            time.sleep(EVERY_S / SLOW)  # not in one burst, which would keep the load from its core
        sent += 1
    return len(clients)
