"""What the server says of itself is true."""

import httpx
import pytest

from shiplap.core.signature import Field, Signature
from shiplap.engineer.deploy.serve.openapi import answer_schema


@pytest.fixture(scope="module")
def description(server):
    return httpx.get(f"{server.url}/openapi.json").json()


def test_every_path_that_is_described_is_there(server, description):
    assert description["openapi"].startswith("3.1")
    for path, item in description["paths"].items():
        url = server.url + path.format(model="churn", version="x")
        for method in item:
            assert httpx.request(method, url).status_code not in {404, 405} or "{version}" in path


def test_the_row_that_is_described_is_answered_as_described(server, description):
    operation = description["paths"]["/predict"]["post"]
    row = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
    example = {name: column["examples"][0] for name, column in row["properties"].items()}
    told = httpx.post(f"{server.url}/predict", json=example).json()
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"][0]
    assert told.keys() == answer["properties"].keys()
    assert told["prediction"] in answer["properties"]["prediction"]["enum"]
    assert list(told["probabilities"]) == answer["properties"]["probabilities"]["required"]


def test_answers_of_every_task_are_described():
    inputs = (Field(name="a", kind="number"),)
    many = answer_schema(Signature(inputs=inputs, task="multiclass", classes=(1, 2, 3)))
    assert many["properties"]["decision"]["enum"] == [1, 2, 3]
    number = answer_schema(Signature(inputs=inputs, task="regression"))
    assert "probabilities" not in number["properties"]


def test_what_is_not_there_is_a_problem(server):
    answer = httpx.get(f"{server.url}/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "nothing is at /nowhere"
    wrong = httpx.delete(f"{server.url}/health")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")


def test_the_index_names_what_is_served(server, scorer):
    told = httpx.get(server.url).json()
    assert told["models"] == [{"name": "churn", "version": scorer.ship.id[:12], "ship": scorer.ship.id}]
