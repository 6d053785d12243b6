"""The pages in a real browser: the form is filled in, the answer is the scorer's, and nothing else is loaded."""

import json
import shlex
import subprocess
import time

import httpx
import pytest

from shiplap.engineer.deploy.serve.access import add_key
from shiplap.engineer.deploy.serve.pages.operations import curl_lines

PREDICT = "document.querySelector('#form [type=submit]')"


class Reader:
    """Somebody in front of the browser."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, url, *, width=1280, height=900):
        self.browser.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        self.browser.ask("Page.navigate", url="about:blank")
        self.browser.events.clear()
        self.browser.ask("Page.navigate", url=url)
        self.wait("location.href !== 'about:blank' && !!document.documentElement?.dataset.ready")

    def wait(self, script):
        deadline = time.monotonic() + 20
        while not self.browser.run(script):
            assert time.monotonic() < deadline, (script, self.browser.complaints)
            time.sleep(0.02)

    def click(self, element):
        """Press the mouse in the middle of an element, as a hand does."""
        place = self.browser.run(
            f"(() => {{ const e = {element}; e.scrollIntoView({{block: 'center', behavior: 'instant'}}); "
            "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.browser.ask("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def write(self, name, text):
        """Replace what stands in a field, by the keyboard."""
        self.browser.run(f"(() => {{ const e = document.querySelector('[name={name}]'); e.focus(); e.select() }})()")
        self.browser.ask("Input.insertText", text=text)

    def predict(self):
        self.browser.run("delete document.getElementById('answer').dataset.state")
        self.click(PREDICT)
        self.wait("!!document.getElementById('answer').dataset.state")
        return self.browser.run("document.getElementById('answer').innerText")

    def text(self, selector):
        return self.browser.run(f"document.querySelector('{selector}').innerText")

    @property
    def complaints(self):
        """What the console says; a refusal is told there by the browser itself."""
        return [each for each in self.browser.complaints if "status of 422" not in each]


@pytest.fixture
def reader(browser):
    return Reader(browser)


def test_the_form_is_answered_as_the_scorer_answers(reader, server, scorer):
    reader.open(server.url)
    assert reader.text("h1") == "churn"
    reader.write("age", "70")
    reader.write("plan", "gold")  # a value that the model has not seen
    reader.click("document.querySelectorAll('.three label')[1]")
    told = reader.predict()
    expected = scorer.predict_row({"age": 70, "plan": "gold", "since": "2013-03-01", "paid": False})
    assert reader.text("#prediction") == expected.prediction
    assert reader.text("#decision") == f"Decision: {'yes' if expected.decision else 'no'}"
    shares = reader.browser.run("[...document.querySelectorAll('#bars li')].map(e => e.innerText.split(/\\s/))")
    shown = {name: float(share) for name, share, *_ in shares}
    for name, probability in zip(scorer.signature.classes, expected.probabilities, strict=True):
        assert shown[name] == pytest.approx(100 * probability, abs=0.06)
    assert scorer.ship.id[:12] in told
    assert "Request" in told
    assert "ms" in told
    assert reader.complaints == []
    assert {url for url in reader.browser.requests if not url.startswith(server.url)} == set()


def test_an_empty_field_is_missing_and_the_line_for_a_shell_asks_the_same(reader, server, scorer):
    reader.open(server.url)
    reader.write("age", "")
    reader.write("plan", "it's")
    reader.click("document.querySelectorAll('.three label')[2]")
    row = {"age": None, "plan": "it's", "since": "2013-03-01", "paid": None}
    reader.predict()
    assert '"age":null' in reader.text("#curl")
    done = subprocess.run(["bash", "-c", reader.text("#curl")], capture_output=True, check=True)
    told = json.loads(done.stdout)
    assert told["probabilities"]["yes"] == pytest.approx(scorer.predict_row(row).probabilities[1], rel=1e-15)
    assert reader.text("#prediction") == told["prediction"]


def test_what_is_refused_is_said_beside_its_field(reader, server):
    reader.open(server.url)
    reader.write("age", "forty")
    assert "Refused" in reader.predict()
    assert "Expected a number, got the text 'forty'" in reader.text("#field-0-fault")
    assert reader.browser.run("document.activeElement.name") == "age"
    assert reader.browser.run("document.activeElement.getAttribute('aria-invalid')") == "true"
    assert reader.browser.run("[...document.querySelectorAll('.fault')].filter(e => !e.hidden).length") == 1
    reader.write("age", "40")
    reader.predict()
    assert reader.browser.run("document.querySelectorAll('[aria-invalid]').length") == 0
    assert reader.complaints == []


def test_everything_can_be_done_from_the_keyboard(reader, server):
    reader.open(server.url)
    reader.write("age", "41")
    key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    for kind in ("keyDown", "keyUp"):
        reader.browser.ask("Input.dispatchKeyEvent", type=kind, **key)
    reader.wait("document.getElementById('answer').dataset.state === 'answered'")
    named = "[...document.querySelectorAll('input, select, textarea')].every(e => e.labels.length > 0)"
    assert reader.browser.run(named)


@pytest.mark.parametrize(("path", "shown"), [("/", "#ask"), ("/docs", "details.operation")])
def test_where_keys_are_asked_for_nothing_is_shown_before_one_is_given(reader, start, ship, tmp_path, path, shown):
    keys = tmp_path / "keys.json"
    key = add_key(keys, "reader")
    with start(ship, keys=str(keys)) as run:
        reader.browser.ask("Page.navigate", url=run.url + path)
        reader.wait("location.href !== 'about:blank' && document.getElementById('key')?.hidden === false")
        assert "since" not in httpx.get(run.url + path, headers={"Accept": "text/html"}).text
        for given in ("shp_wrong", key):
            reader.write("key", given)
            reader.click("document.querySelector('#key button')")
            if given != key:
                reader.wait("!document.getElementById('key').hidden && !document.querySelector('#key .fault').hidden")
        reader.wait(f"!!document.querySelector('{shown}') && !document.querySelector('{shown}').hidden")
        if path == "/":
            assert "Prediction" in reader.predict()
            assert '-H "Authorization: Bearer $KEY"' in reader.text("#curl")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["/", "/docs"])
def test_nothing_stands_out_of_the_page(reader, server, width, path):
    reader.open(server.url + path, width=width)
    assert reader.browser.run("document.documentElement.scrollWidth") <= width


def test_one_of_several_models_is_chosen(reader, start, make, tmp_path, ship):
    other = make(tmp_path / "delay.ship", name="delay", task="regression")
    with start(ship, other) as run:
        reader.open(run.url)
        reader.browser.run(
            "(() => { const m = document.getElementById('model'); m.value = 'delay'; "
            "m.dispatchEvent(new Event('change')) })()"
        )
        assert reader.text("h1") == "delay"
        reader.predict()
        told = httpx.post(
            f"{run.url}/predict/delay", json={"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}
        )
        assert float(reader.text("#prediction")) == pytest.approx(told.json()["prediction"], rel=1e-5)
        assert reader.complaints == []


def test_the_description_is_a_page(reader, server):
    reader.open(f"{server.url}/docs")
    assert reader.text("h1") == "How it is asked"
    reader.click("document.querySelector('details.operation summary')")
    reader.wait("document.querySelector('details.operation').open")
    assert f"{server.url}/predict/churn" in reader.text("details.operation")
    broken = "[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.hash.slice(1)))"
    assert reader.browser.run(f"{broken}.map(a => a.hash)") == []
    assert reader.complaints == []
    assert {url for url in reader.browser.requests if not url.startswith(server.url)} == set()


def test_every_line_for_a_shell_works(server):
    described = httpx.get(f"{server.url}/openapi.json").json()
    lines = [
        line
        for path, item in described["paths"].items()
        for method, each in item.items()
        for _, line in curl_lines(method, path, each, described, server.url)
    ]
    page = httpx.get(f"{server.url}/docs").text
    assert page.count('<pre class="shell">') == len(lines) > 40
    for line in lines:
        status = subprocess.run(
            ["bash", "-c", f"{line} -o /dev/null -w '%{{http_code}}'"], capture_output=True, text=True, check=True
        )
        assert status.stdout == "200", line
        assert shlex.split(line)[0] == "curl"


def test_a_policy_lets_nothing_else_run(server):
    for path in ("/", "/docs"):
        answer = httpx.get(server.url + path, headers={"Accept": "text/html"})
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (answer.headers["content-type"], answer.headers["vary"]) == ("text/html; charset=utf-8", "Accept")
        assert answer.text.count("<script") == 2
        assert "http://" not in answer.text.replace(server.url, "")
        assert "https://" not in answer.text


def test_programs_are_still_told_in_json(server):
    assert httpx.get(server.url).headers["content-type"] == "application/json"
