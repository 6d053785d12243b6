"""What the server says of itself is true."""

import json

import httpx
import pytest

from shiplap.core.signature import Field, Signature
from shiplap.engineer.deploy.serve.schemas import answer_schema


@pytest.fixture(scope="module")
def description(server):
    return httpx.get(f"{server.url}/openapi.json").json()


@pytest.fixture(scope="module")
def resolved(description):
    """The description with every reference replaced by what it refers to."""

    def follow(value):
        if isinstance(value, dict) and "$ref" in value:
            *_, kind, name = value["$ref"].split("/")
            return follow(description["components"][kind][name] | {k: v for k, v in value.items() if k != "$ref"})
        if isinstance(value, dict):
            return {key: follow(each) for key, each in value.items()}
        return [follow(each) for each in value] if isinstance(value, list) else value

    return follow(description)


def test_every_path_that_is_described_is_there(server, resolved):
    assert resolved["openapi"].startswith("3.1")
    for path, item in resolved["paths"].items():
        for method, operation in item.items():
            version = {
                each["name"]: each["example"] for each in operation.get("parameters", ()) if each["in"] == "path"
            }
            answer = httpx.request(method, server.url + path.format(**version))
            assert answer.status_code == (200 if method == "get" else 400), (path, answer.text)
            assert str(answer.status_code) in operation["responses"]


def test_every_operation_has_a_name_of_its_own(description):
    names = [each["operationId"] for item in description["paths"].values() for each in item.values()]
    assert len(set(names)) == len(names) > 20


def test_the_row_that_is_described_is_answered_as_described(server, resolved):
    operation = resolved["paths"]["/predict"]["post"]
    row = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    example = {name: column["examples"][0] for name, column in row["properties"].items()}
    told = httpx.post(f"{server.url}/predict", json=example).json()
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert set(told) == set(answer["properties"]) == set(answer["required"])
    assert told["prediction"] in answer["properties"]["prediction"]["enum"]
    assert list(told["probabilities"]) == answer["properties"]["probabilities"]["required"]


def test_every_example_is_answered(server, resolved):
    """Every line for a shell on the page is one of them."""
    count = 0
    for path, item in resolved["paths"].items():
        for operation in (each for method, each in item.items() if method == "post"):
            version = {
                each["name"]: each["example"] for each in operation.get("parameters", ()) if each["in"] == "path"
            }
            for kind, content in operation["requestBody"]["content"].items():
                named = {name: each["value"] for name, each in content.get("examples", {}).items()}
                for value in [content["example"]] if "example" in content else named.values():
                    sent = value if isinstance(value, str) else json.dumps(value)
                    url = server.url + path.format(**version)
                    answer = httpx.post(url, content=sent, headers={"Content-Type": kind})
                    assert answer.status_code == 200, (path, kind, value, answer.text)
                    count += 1
    assert count > 25


def test_a_version_with_other_rows_is_not_described_as_the_first(server, description):
    parameter = description["paths"]["/predict/churn/{version}"]["post"]["parameters"][0]
    assert parameter["schema"]["enum"][0] == "stable"
    for version in parameter["schema"]["enum"]:
        told = httpx.post(f"{server.url}/predict/churn/{version}", json={"age": 41})
        assert told.json()["ship"].startswith(parameter["example"])
    assert httpx.post(f"{server.url}/predict/churn/x", json={"age": 41}).status_code == 404


def test_answers_of_every_task_are_described():
    inputs = (Field(name="a", kind="number"),)
    many = answer_schema(Signature(inputs=inputs, task="multiclass", classes=(1, 2, 3)))
    assert many["properties"]["decision"]["enum"] == [1, 2, 3]
    number = answer_schema(Signature(inputs=inputs, task="regression"))
    assert "probabilities" not in number["properties"]


@pytest.mark.parametrize(("version", "written"), [("", "2.0"), ("2", "2.0"), ("3", "3.0.3"), ("3.1", "3.1.0")])
def test_azure_is_told_in_the_version_it_asks_for(server, version, written):
    told = httpx.get(f"{server.url}/swagger.json", params={"version": version} if version else None).json()
    assert told.get("swagger", told.get("openapi")) == written
    assert set(told["paths"]) == {"/score"}
    assert httpx.get(f"{server.url}/swagger.json?version=4").status_code == 404


def test_what_is_not_there_is_a_problem(server):
    answer = httpx.get(f"{server.url}/nowhere")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "nothing is at /nowhere"
    wrong = httpx.delete(f"{server.url}/health")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_the_index_names_what_is_served(server, scorer):
    told = httpx.get(server.url).json()
    assert told["models"] == [{"name": "churn", "version": scorer.ship.id[:12], "ship": scorer.ship.id}]
