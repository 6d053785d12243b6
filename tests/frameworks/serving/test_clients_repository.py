"""The client of Triton loads and unloads models, at the admin listener."""

import json
import select
import shutil
import subprocess
import sys

import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

START = """
import sys, msgspec
from shiplap.engineer.deploy.serve import serve
told = lambda places: print(msgspec.json.encode(places).decode(), flush=True)
serve([], port=0, admin_port=0, workers=2, repository=sys.argv[1], ready=told)
"""


@pytest.fixture
def clients(ship, tmp_path):
    """Clients of the listener for requests and of the one for changes; nothing is loaded yet."""
    shutil.copy(ship, tmp_path / "churn.ship")
    command = [sys.executable, "-c", START, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert select.select([process.stdout], [], [], 60)[0], "the server did not start"
        told = json.loads(process.stdout.readline())
        yield [triton.InferenceServerClient(told[name].removeprefix("http://")) for name in ("listening", "admin")]
        process.terminate()
        assert process.communicate(timeout=20)[1] == ""
    finally:
        process.kill()
        process.communicate()


def test_tritons_client_loads_and_unloads(clients):
    asking, changing = clients
    states = [(each["name"], each["state"]) for each in changing.get_model_repository_index()]
    assert states == [("churn", "UNAVAILABLE")]
    assert not asking.is_model_ready("churn")
    changing.load_model("churn")
    assert asking.is_model_ready("churn")
    assert [each["state"] for each in changing.get_model_repository_index()] == ["READY"]
    changing.unload_model("churn")
    assert not asking.is_model_ready("churn")
    with pytest.raises(InferenceServerException, match="no ship called 'nobody'"):
        changing.load_model("nobody")
    for client in clients:
        client.close()
