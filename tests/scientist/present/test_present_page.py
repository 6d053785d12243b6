import base64
import gzip
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shiplap.core.errors import InputError
from shiplap.core.finding import Finding
from shiplap.core.report import Report
from shiplap.scientist.present import present

VERBS = ("explore", "assess", "train", "pack", "bench")
HEADINGS = [
    "Is it worth it?",
    "What it learned, and where it fails",
    "What was kept out",
    "The rows",
    "Proof of the hand-off",
    "Speed and size",
    "Where it comes from",
    "Use it",
]


def text_of(path: Path) -> str:
    page = path.read_text(encoding="utf-8")
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_page_tells_the_whole_run(flights: Report, tmp_path: Path) -> None:
    path = present(flights, path=tmp_path / "late.html")
    assert list(tmp_path.iterdir()) == [path]
    text = text_of(path)
    places = [text.rindex(heading) for heading in HEADINGS]
    assert places == sorted(places)
    for said in ("+$1,290", "95% interval +$1,101 to +$1,403", "no answer changed", "2 columns were left out",
                 "git commit 3b16b6c1d2e3+", "shiplap verify late.ship", "1,307 times faster", "$1,602"):  # fmt: skip
        assert said in text
    assert not re.search(r"\d\.\d{6}", text)


def test_nothing_on_it_comes_from_elsewhere(flights: Report, tmp_path: Path) -> None:
    page = present(flights, path=tmp_path / "late.html").read_text(encoding="utf-8")
    library = r'<script type="application/gzip" id="library">(.*?)</script>'
    (packed,) = re.findall(library, page)
    own = page.replace(packed, "")
    assert not re.search(r"https?:|<link(?! rel=\"icon\" href=\"data:,\")|@import|url\(", own)
    assert "bokeh-widgets" not in gzip.decompress(base64.b64decode(packed)).decode()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_any_step_may_be_absent(flights: Report, tmp_path: Path, count: int) -> None:
    for kept in combinations(VERBS, count):
        parts = tuple(part for part in flights.parts if part.verb in kept)
        present(msgspec.structs.replace(flights, parts=parts), path=tmp_path / "page.html")


def test_a_single_verb_has_a_page_too(flights: Report, tmp_path: Path) -> None:
    text = text_of(present(flights.part("assess"), path=tmp_path / "assess.html"))
    assert "Is it worth it?" in text
    assert "+$1,290" in text


def test_data_is_text(flights: Report, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    finding = Finding(check="run.quarantine", verdict="warn", means=evil, todo=evil, columns=(evil,))
    report = msgspec.structs.replace(
        flights, findings=(finding,), metrics={"name": evil, "target": evil}, verdict=evil,
        parts=(msgspec.structs.replace(flights.part("explore"), run=None, title=evil), *flights.parts[3:]),
    )  # fmt: skip
    page = present(report, path=tmp_path / "evil.html").read_text(encoding="utf-8")
    assert evil not in page
    assert "&lt;img" in page


def test_a_page_is_there_whole_or_not_at_all(flights: Report, tmp_path: Path) -> None:
    path = tmp_path / "late.html"
    path.write_text("old", encoding="utf-8")
    broken = msgspec.structs.replace(flights, parts=(msgspec.structs.replace(flights.parts[0], tables=(None,)),))
    with pytest.raises(AttributeError):
        present(broken, path=path)
    assert path.read_text(encoding="utf-8") == "old"
    with pytest.raises(InputError, match="no folder"):
        present(flights, path=tmp_path / "missing" / "late.html")
    assert list(tmp_path.iterdir()) == [path]


def test_a_browser_shows_it_at_once_and_asks_nobody(browser: Any, flights: Report, tmp_path: Path) -> None:
    page = present(flights, path=tmp_path / "late.html")
    taken = []
    for _ in range(3):
        browser.open(page)
        taken.append(float(browser.run("document.documentElement.dataset.drawnMs")))
    assert browser.complaints == []
    assert browser.requests == []
    assert int(browser.run("document.documentElement.dataset.drawn")) == 5
    assert browser.empty_canvases() == 0
    assert min(taken) < 2000


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_every_screen(browser: Any, flights: Report, tmp_path: Path, width: int) -> None:
    browser.open(present(flights, path=tmp_path / "late.html"), width=width)
    assert browser.run("document.documentElement.scrollWidth") == width


def test_it_prints_in_light_colors_from_the_dark(browser: Any, flights: Report, tmp_path: Path) -> None:
    browser.open(present(flights, path=tmp_path / "late.html"), scheme="dark")
    seen = "Bokeh.documents[0].roots()[0].below[0].major_label_text_color"
    browser.run(f"addEventListener('beforeprint', () => {{ window.printed = {seen} }})")
    dark = browser.run(seen)
    browser.pdf(tmp_path / "late.pdf")
    assert browser.run("window.printed") not in {None, dark}
    assert browser.run(seen) == dark
    assert browser.empty_canvases() == 0


def test_what_is_folded_away_is_drawn_when_it_is_opened(browser: Any, flights: Report, tmp_path: Path) -> None:
    browser.open(present(flights, path=tmp_path / "late.html"))
    drawn = "document.querySelectorAll('[data-state=drawn]').length"
    before = browser.run(drawn)
    browser.run("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert browser.run(f"new Promise(r => setTimeout(() => r({drawn}), 1500))") == before + 1
    assert browser.complaints == []


def test_it_is_read_with_the_keyboard_and_by_ear(browser: Any, flights: Report, tmp_path: Path) -> None:
    browser.open(present(flights, path=tmp_path / "late.html"))
    assert browser.run("document.querySelectorAll('h1').length") == 1
    unnamed = "[...document.querySelectorAll('figure [role=img], button, nav, section')].filter(e => "
    unnamed += "!e.getAttribute('aria-label') && !document.getElementById(e.getAttribute('aria-labelledby'))).length"
    assert browser.run(unnamed) == 0
    doubled = "(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('[id]')].map(e => e.id))"
    assert browser.run(doubled) == 0
    assert browser.run("[...document.querySelectorAll('.toc a')].every(a => document.querySelector(a.hash))")
