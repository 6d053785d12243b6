"""Fixtures that several parts share: a real browser, where one is installed; the record of what is covered."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "about:blank",
]


ANSWER_S = 30.0


class SilentError(Exception):
    """The browser does not answer."""


class Browser:
    """Chromium, driven over a pipe in the words of its DevTools protocol; one that falls silent is started anew."""

    def __init__(self, command: str, profile: str) -> None:
        self._command, self._profile = command, profile
        self._emulated: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self._start()

    def _start(self) -> None:
        command, profile = self._command, tempfile.mkdtemp(dir=self._profile)
        ours, theirs = os.pipe(), os.pipe()
        fixed = "import os, sys; os.dup2({}, 3); os.dup2({}, 4); os.execvp(sys.argv[1], sys.argv[1:])"
        self._process = subprocess.Popen(
            [sys.executable, "-c", fixed.format(ours[0], theirs[1]), command, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(ours[0], theirs[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(ours[0])
        os.close(theirs[1])
        self._to, self._from = os.fdopen(ours[1], "wb", buffering=0), os.fdopen(theirs[0], "rb", buffering=0)
        self._rest = b""
        self._count = 0

    def begin(self) -> None:
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        emulation = method.startswith("Emulation.")
        if emulation:
            self._emulated[method] = parameters
        if not emulation and method != "Page.navigate":
            return self._ask(method, **parameters)  # a page that was open is gone: its test fails
        try:
            return self._ask(method, **parameters)
        except SilentError:  # its page died, and it waits for it
            self._process.kill()
            self.close()
            del self._session
            self._start()
            self.begin()
            for emulated, chosen in self._emulated.items():
                self._ask(emulated, **chosen)
            return self._ask(method, **parameters)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        self._to.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def open(self, page: Path, *, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Load a page and wait until its figures are drawn."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.ask("Emulation.setEmulatedMedia", features=features)
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        self.ask("Page.navigate", url=page.resolve().as_uri())
        deadline = time.monotonic() + 20
        ready = (
            "location.href !== 'about:blank' && document.readyState === 'complete' && "
            "(!document.querySelector('[data-figure]') || !!document.documentElement.dataset.drawn)"
        )
        while not self.run(ready):
            assert time.monotonic() < deadline, "the page did not finish"
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def empty_canvases(self) -> int:
        """Count the drawings that are loaded but show nothing, once the browser had time to paint."""
        blank = (
            "Bokeh.documents.flatMap(d => d.views_manager.roots.filter(v => v.model.type === 'Figure')).filter(v => { "
            "const c = v.canvas_view.primary.canvas; "
            "return !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(x => x) }).length"
        )
        return int(self.run(f"new Promise(r => setTimeout(() => r({blank}), 300))"))

    @property
    def requests(self) -> list[str]:
        """Everything the page asked for, itself left out."""
        urls = [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(("file:", "data:"))]

    @property
    def complaints(self) -> list[str]:
        """Errors and warnings on the console, exceptions included."""
        found = []
        for event in self.events:
            given = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(json.dumps(given["exceptionDetails"])[:500])
            elif event.get("method") == "Runtime.consoleAPICalled" and given["type"] in {"error", "warning", "assert"}:
                found.append(json.dumps(given["args"])[:500])
            elif event.get("method") == "Log.entryAdded" and given["entry"]["level"] in {"error", "warning"}:
                found.append(given["entry"]["text"])
        return found

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def pdf(self, path: Path) -> None:
        answer = self.ask("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def close(self) -> None:
        self._to.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._from.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._from], [], [], ANSWER_S)[0]:
                raise SilentError(f"the browser has not answered for {ANSWER_S:g} s")
            read = self._from.read(1 << 16)
            assert read, "the browser went away"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    command = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)
    if command is None:
        pytest.skip("no chromium on the PATH: pages are not opened in a browser")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        opened = Browser(command, profile)
        try:
            opened.begin()
            yield opened
        finally:
            opened.close()


@pytest.fixture(scope="session")
def covered() -> Iterator[Any]:
    """Note what came of lowering an estimator or a kind of model; ``docs/make_coverage.py`` makes a page of it.

    ``covered(framework, name, outcome, method="", difference=None, reason="")``, the outcome ``proven`` or ``refused``.
    At the end the page must say the same.
    """
    found: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}

    def note(framework: str, name: str, outcome: str, **more: Any) -> None:
        known = {"method": "", "difference": None, "reason": "", **more}
        found.setdefault(framework, {})[name, known["method"]] = {"name": name, "outcome": outcome, **known}

    yield note
    root = Path(__file__).parents[1]
    folder, page = root / "build" / "coverage", root / "docs" / "coverage.md"
    folder.mkdir(parents=True, exist_ok=True)
    said = page.read_text() if page.exists() else ""
    stale = []
    for framework, records in found.items():
        rows = [records[key] for key in sorted(records)]
        (folder / f"{framework}.json").write_text(json.dumps(rows, indent=1))
        lines = [f"| {row['name']} | {row['method']} | {row['outcome']} |" for row in rows]
        stale += [line for line in lines if line not in said]
    assert not (said and stale), f"docs/coverage.md says otherwise, run `make coverage`: {stale[:3]}"
