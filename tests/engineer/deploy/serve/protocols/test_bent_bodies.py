"""Bodies of clients of other servers, bent at random: refused or answered, never our fault."""

import json
import random

import httpx
import pytest

ROUTES = [
    "/invocations",
    "/v1/models/churn:predict",
    "/v1/models/churn:classify",
    "/predictions/churn",
    "/score",
    "/v2/models/churn/infer",
]
FORMS = [
    "instances",
    "inputs",
    "dataframe_split",
    "dataframe_records",
    "examples",
    "data",
    "input_data",
    "Inputs",
    "body",
]
MEMBERS = ["params", "parameters", "signature_name", "context", "GlobalParameters", "outputs"]
NAMES = ["columns", "data", "features", "b64", "age", "plan", "predict_method", "name", "shape", "datatype"]
LEAVES = [
    None,
    1,
    1.5,
    True,
    "x",
    "age",
    "",
    10**400,
    {"b64": "eA=="},
    {"b64": 5},
    {"b64": "%"},
    [],
    {},
    "predict_proba",
]
KINDS = ["application/json"] * 5 + ["text/csv", "application/jsonlines", "application/octet-stream"]


def bent(chance, depth):
    kind = chance.random()
    if not depth or kind < 0.3:
        return chance.choice(LEAVES)
    if kind < 0.6:
        return [bent(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {chance.choice(NAMES): bent(chance, depth - 1) for _ in range(chance.randrange(4))}


def tensor(chance):
    return {
        "name": chance.choice(["age", "plan", "other"]),
        "shape": chance.choice([[1], [1, 1], [2], [-1], [], [10**30]]),
        "datatype": chance.choice(["FP64", "BYTES", "BOOL", "INT8", "Q"]),
        "parameters": {"binary_data_size": chance.choice([0, 8, 5, -1, None])},
    }


@pytest.mark.parametrize("seed", range(2))
def test_no_body_is_our_fault(server, seed):
    chance = random.Random(seed)
    codes = set()
    with httpx.Client(base_url=server.url) as client:
        for _ in range(500):
            body = {chance.choice(FORMS): bent(chance, 3)}
            if chance.random() < 0.3:
                body = {"inputs": [tensor(chance)]}
            if chance.random() < 0.4:
                body[chance.choice(MEMBERS)] = bent(chance, 2)
            content = json.dumps(body).encode()
            headers = {"Content-Type": chance.choice(KINDS)}
            if chance.random() < 0.3:
                headers["Inference-Header-Content-Length"] = str(len(content))
                content += chance.randbytes(chance.choice([0, 5, 8, 9]))
            codes.add(client.post(chance.choice(ROUTES), content=content, headers=headers).status_code)
    assert codes <= {200, 400, 413, 415, 422}
    assert {200, 400, 422} <= codes
