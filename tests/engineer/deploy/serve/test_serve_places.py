"""Where `serve` is called: a thread, a notebook; and what a server loads that shows no page."""

import asyncio
import queue
import subprocess
import sys
import threading

import httpx
import numpy as np
import pytest

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve import Limits, serve
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.models.shadow import Shadow

ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}


def test_in_a_notebook_it_is_one_line(ship):
    async def cell():
        serve(ship, port=0)

    with pytest.raises(InputError, match="an event loop runs here already"):
        asyncio.run(cell())


def test_in_a_thread_one_worker_answers_and_several_are_refused(ship):
    told: queue.Queue = queue.Queue()

    def several():
        try:
            serve(ship, port=0, workers=2)
        except InputError as error:
            told.put(str(error))

    threading.Thread(target=several, daemon=True).start()
    assert "only the main thread" in told.get(timeout=20)
    threading.Thread(target=serve, args=(ship,), kwargs={"port": 0, "ready": told.put}, daemon=True).start()
    assert httpx.post(f"{told.get(timeout=20)}/predict", json=ROW).json()["prediction"] == "no"


def test_a_server_that_shows_no_page_has_not_loaded_starlette():
    code = "import sys, shiplap.engineer.deploy.serve; print('starlette' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"


def test_a_shadow_that_fails_goes_on(scorer, capsys):
    stable, other = (Hosted(scorer, Limits(), Jobs(most=1)) for _ in range(2))
    shadow = Shadow(stable, other)
    outputs = scorer.runtime.run(scorer.encoder.matrix([ROW]))
    shadow.take([], [ROW], np.zeros((1, 1)), np.zeros(1))
    shadow.take([], [ROW], np.zeros((1, 1)), outputs)
    found = shadow.close()
    assert (found.rows, found.refused) == (1, 1)
    assert "cannot be compared" in capsys.readouterr().err
