"""Shiplap, counting how many rows a call of the model gets; says so at its end.  counting.py SHIP PORT"""

import json
import sys
from typing import Any

from shiplap.adapters.runtimes.ort import OnnxRuntime, OrtRow
from shiplap.engineer.deploy.serve import serve

counts = {"calls": 0, "rows": 0}
run_many, run_one = OnnxRuntime.run, OrtRow.run


def counted_many(self: OnnxRuntime, matrix: Any) -> Any:
    counts["calls"] += 1
    counts["rows"] += len(matrix)
    return run_many(self, matrix)


def counted_one(self: OrtRow) -> None:
    counts["calls"] += 1
    counts["rows"] += 1
    run_one(self)


OnnxRuntime.run, OrtRow.run = counted_many, counted_one
serve(sys.argv[1], port=int(sys.argv[2]), ready=lambda url: counts.update(calls=0, rows=0))
print(json.dumps(counts), flush=True)
