"""The contracts of the platforms that run a container: what it is told, and where it finds its ships."""

import json
import os
import select
import shutil
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.containers import ships_of

ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}


@contextmanager
def container(*arguments: str, **environment: str):
    """Run the command line as a container does, and give the address it listens on."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from shiplap.cli.main import main; main()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 60)[0], "the server did not start"
        told = process.stdout.readline()
        assert told, process.communicate()[1]
        yield json.loads(told)["listening"], process
    finally:
        process.kill()
        process.communicate()


def test_azure_names_a_folder(ship, tmp_path):
    (tmp_path / "model").mkdir()
    shutil.copy(ship, tmp_path / "model" / "churn.ship")
    with container("serve", "--json", "--port", "0", AZUREML_MODEL_DIR=str(tmp_path)) as (url, process):
        assert httpx.post(f"{url}/score", json={"data": [ROW]}).json() == ["no"]
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_vertex_names_everything_in_its_environment(ship, tmp_path):
    shutil.copy(ship, tmp_path / "churn.ship")
    told = {
        "AIP_HTTP_PORT": "0",
        "AIP_STORAGE_URI": str(tmp_path),
        "AIP_HEALTH_ROUTE": "/alive",
        "AIP_PREDICT_ROUTE": "/ask",
        "SHIPLAP_HOST": "localhost",
    }
    with container("serve", "--json", **told) as (url, _):
        assert httpx.get(f"{url}/alive").status_code == 200
        assert httpx.post(f"{url}/ask", json={"instances": [ROW]}).json() == {"predictions": ["no"]}


def test_sagemaker_puts_ships_into_a_folder(ship, tmp_path):
    shutil.copy(ship, tmp_path / "churn.ship")
    assert ships_of({}, sagemaker=tmp_path) == [str(tmp_path / "churn.ship")]
    assert ships_of({}, sagemaker=tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"AIP_STORAGE_URI": "gs://bucket/model"}, "not on this machine"),
        ({"AZUREML_MODEL_DIR": "/var/empty/nowhere"}, "no ship file is there"),
    ],
)
def test_a_place_without_a_ship_is_one_line(environment, said):
    with pytest.raises(InputError, match=said):
        ships_of(environment)


def test_limits_are_told_by_name(ship):
    with container("serve", str(ship), "--json", "--port", "0", "--limit", "rows=2") as (url, _):
        assert httpx.post(f"{url}/predict", json=[ROW] * 2).status_code == 200
        assert httpx.post(f"{url}/predict", json=[ROW] * 3).status_code == 413
    for wrong, said in (("rowz=2", "did you mean 'rows'"), ("rows=many", "NAME=NUMBER"), ("rows=0", "above 0")):
        command = [
            sys.executable,
            "-c",
            "from shiplap.cli.main import main; main()",
            "serve",
            str(ship),
            "--limit",
            wrong,
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 2
        assert said in ended.stderr
