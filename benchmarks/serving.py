"""What serving costs: Shiplap beside its own empty answer and the usual servers, in one run on one machine.

    .venv/bin/python benchmarks/serving.py [--quick] [--only requests batches] [--peers FastAPI] [--json PATH]

Everything answers the same model: LightGBM with 200 trees behind a scikit-learn pipeline (9 numbers, 3 categories), and
a logistic regression where the table says so. Each peer lives in an environment of its own, which the script makes
below ``build/serving-peers``; it answers from the same pipeline, or from Shiplap's own graph by way of ONNX Runtime.
A server has one worker and, where the system can, the first core to itself; the load comes from another process on
the second. CPU is that of a server's whole tree of processes. A peer that cannot be installed or started has a line
that says why.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from serving_batches import batches
from serving_hostile import hostile
from serving_load import loads
from serving_memory import memory, workers
from serving_mixed import mixed
from serving_overload import overload
from serving_plan import Plan
from serving_process import StartError
from serving_report import Table, versions
from serving_requests import requests
from serving_servers import ALL_PEERS
from serving_swaps import swaps

SECTIONS: dict[str, Callable[[Plan], list[Table]]] = {
    "requests": requests,
    "batches": batches,
    "memory": memory,
    "workers": workers,
    "mixed": mixed,
    "overload": overload,
    "hostile": hostile,
    "swaps": swaps,
}


def main() -> None:
    options = read_options()
    sys.stdout.reconfigure(line_buffering=True)
    peers = [peer for peer in ALL_PEERS if any(word.lower() in peer.name.lower() for word in options.peers)]
    about = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, {versions()}"
    print(about)
    told: dict[str, object] = {"about": about, "when": time.strftime("%Y-%m-%d %H:%M:%S"), "quick": options.quick}
    with loads() as pool:
        plan = Plan(
            pool=pool,
            quick=options.quick,
            seconds=options.seconds or (0.5 if options.quick else 3.0),
            rounds=options.rounds or (1 if options.quick else 3),
            connections=tuple(options.connections),
            overload_s=options.overload or (3.0 if options.quick else 60.0),
            peers=tuple(peers),
        )
        for name in options.only:
            told[name] = [table.plain() for table in section(name, plan)]
            if options.json:
                options.json.write_text(json.dumps(told, indent=1))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What serving costs.")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS), help="sections to run")
    parser.add_argument("--quick", action="store_true", help="short runs: to see that all works, not for figures")
    parser.add_argument("--peers", nargs="*", default=[""], help="words of their names; none at all for no peers")
    parser.add_argument("--seconds", type=float, help="of one measurement")
    parser.add_argument("--rounds", type=int, help="of which the best counts")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--overload", type=float, help="seconds of it")
    parser.add_argument("--json", type=Path, help="where the figures go")
    return parser.parse_args()


def section(name: str, plan: Plan) -> list[Table]:
    """Run and show a section; one that cannot be run says so and lets the others be."""
    try:
        tables = SECTIONS[name](plan)
    except (StartError, OSError) as error:
        tables = [Table(name, ("",), [("not measured", str(error))])]
    for table in tables:
        table.show()
    return tables


if __name__ == "__main__":
    main()
