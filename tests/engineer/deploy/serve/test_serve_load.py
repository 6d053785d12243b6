"""Under load: what is taken is answered in time, too much is refused at once, and long work lets others go first."""

import concurrent.futures
import json
import time

import httpx
import pytest

from shiplap.engineer.deploy.serve import Limits

ROW = b'{"age":41,"plan":"basic"}'
REQUEST = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(ROW), ROW)


def test_rows_past_the_work_of_a_turn_are_refused_and_the_others_answered_in_their_order(
    start, ship, scorer, answer_of
):
    expected = scorer.predict_row({"age": 41, "plan": "basic"}).probabilities
    with start(ship, limits=Limits(turn_ms=0.05, pipeline=10_000)) as run, run.connect() as client:
        client.sendall(REQUEST * 300)
        codes = []
        for _ in range(300):
            code, headers, body = answer_of(client)
            codes.append(code)
            if code == 200:
                assert tuple(json.loads(body)["probabilities"].values()) == pytest.approx(expected, rel=1e-13)
            else:
                assert headers["retry-after"] == "1"
                assert headers["content-type"] == "application/problem+json"
                assert headers["x-request-id"]
                assert json.loads(body)["status"] == 503
        assert set(codes) == {200, 503}
        assert codes[0] == 200
        client.sendall(REQUEST)
        assert answer_of(client)[0] == 200
        assert run.stop() == ""


def test_a_row_that_would_wait_too_long_for_a_dear_model_is_refused_at_once(start, make, tmp_path):
    path = make(tmp_path / "dear.ship", name="dear", repeats=400)
    with start(path, limits=Limits(wait_ms=300)) as run, concurrent.futures.ThreadPoolExecutor(40) as pool:

        def ask(age):
            begin = time.perf_counter()
            answer = httpx.post(f"{run.url}/predict", json={"age": age}, timeout=60)
            return answer.status_code, time.perf_counter() - begin, answer

        ask(0)
        told = list(pool.map(ask, range(80)))
        refused = [seconds for code, seconds, _ in told if code == 503]
        answered = [answer for code, _, answer in told if code == 200]
        assert len(refused) + len(answered) == 80
        assert refused
        assert len(answered) >= 3
        assert all(answer.json()["model"] == "dear" for answer in answered)
        assert ask(1)[0] == 200
        assert run.stop() == ""


def test_a_row_that_cannot_be_read_spoils_no_other_of_a_dear_model(start, make, tmp_path):
    path = make(tmp_path / "dear.ship", name="dear", repeats=100)
    bodies = ['{"age":1}', '{"age":"forty"}', '{"age":1', '{"plan":null}', '{"other":1}', '[{"age":1},{"age":2}]'] * 3
    with start(path, limits=Limits(wait_ms=60_000)) as run, concurrent.futures.ThreadPoolExecutor(18) as pool:
        answers = list(pool.map(lambda body: httpx.post(f"{run.url}/predict", content=body, timeout=60), bodies))
        assert [answer.status_code for answer in answers] == [200, 422, 400, 200, 422, 200] * 3
        assert answers[1].json()["field"] == "age"
        assert len(answers[5].json()) == 2
        assert run.stop() == ""


def test_a_short_batch_overtakes_a_long_one(start, make, tmp_path):
    path = make(tmp_path / "slow.ship", name="slow", repeats=1)
    row = {"age": 1, "plan": "basic", "since": "2013-03-01"}
    order = []

    def send(name, n_rows):
        assert httpx.post(f"{run.url}/predict", json=[row] * n_rows, timeout=120).status_code == 200
        order.append(name)

    # Every call of this model takes as long, however few its rows, so that a long batch is many short calls.
    with start(path, limits=Limits(slice_ms=0.001)) as run, concurrent.futures.ThreadPoolExecutor() as pool:
        begin = time.perf_counter()
        send("alone", 1_000)
        taken = time.perf_counter() - begin
        first = pool.submit(send, "long", 9_000)
        time.sleep(taken)  # about a ninth of what the long one takes
        pool.submit(send, "short", 30).result()
        first.result()
        assert run.stop() == ""
    assert order == ["alone", "short", "long"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict", lambda rows: rows),
        ("/v1/models/churn:predict", lambda rows: {"instances": rows}),
        ("/invocations", lambda rows: {"dataframe_records": rows}),
        (
            "/v2/models/churn/infer",
            lambda rows: {
                "inputs": [
                    {
                        "name": "age",
                        "shape": [len(rows)],
                        "datatype": "FP64",
                        "data": [row["age"] for row in rows],
                    }
                ]
            },
        ),
    ],
)
def test_single_rows_are_answered_while_many_are_worked_on(server, path, body):
    many = json.dumps(body([{"age": place} for place in range(60_000)]))
    with httpx.Client(base_url=server.url) as client, concurrent.futures.ThreadPoolExecutor() as pool:
        client.get("/health")
        batch = pool.submit(httpx.post, f"{server.url}{path}", content=many, timeout=120)
        answered = 0
        while not batch.done():
            assert client.post("/predict", json={"age": 1}).status_code == 200
            answered += 1
        assert batch.result().status_code == 200
    assert answered >= 10
