import base64
import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from shiplap.adapters.figures.notebook import bundle, frame
from shiplap.adapters.figures.page import render
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report

EVIL = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\">$$\\alpha$$ {{ 7 * 7 }}"


def evil_report() -> Report:
    bar = Figure(
        name=EVIL, title=EVIL, kind="bar", data={EVIL: [EVIL, "b"], "n": [1, 2]}, x=EVIL, y=("n",), labels={"n": EVIL}
    )
    line = Figure(
        name="l", title=EVIL, kind="line", data={"x": [0, 1], EVIL: [1, 2], "z": [2, 1]}, x="x", y=(EVIL, "z")
    )
    heat = Figure(name="h", title="H", kind="heatmap", data={"a": [EVIL], "b": [EVIL], "v": [1]}, x="a", y=("b", "v"))
    return Report(
        verb="explore",
        title=EVIL,
        verdict=EVIL,
        findings=(Finding(check="c", verdict="warn", means=EVIL, todo=EVIL, columns=(EVIL,)),),
        tables=(DataTable(name="t", title=EVIL, columns=(EVIL,), rows=((EVIL,),)),),
        figures=(bar, line, heat),
        metrics={EVIL: EVIL},
    )


def outside_the_library(page: str) -> str:
    """Cut the drawing library out, which is Bokeh's own."""
    return re.sub(r'<script type="application/gzip".*?</script>', "", page, flags=re.DOTALL)


def test_data_is_text_wherever_it_stands() -> None:
    page = outside_the_library(render(evil_report()))
    assert "<img" not in page
    assert "<script>document" not in page
    assert "49" not in re.sub(
        r"sha256-[\w+/=]+|#[0-9a-f]{6}|p\d+", "", page.partition("<body>")[2].partition("<script")[0]
    )
    assert page.count("<script") == page.count("</script>")


def test_no_address_stands_on_the_page() -> None:
    page = outside_the_library(render(evil_report()))
    assert len(page) < 100_000
    assert not re.search(r"https?:|//[a-z]|url\(", page)
    assert "default-src 'none'" in html.unescape(page)


def test_a_report_without_figures_carries_no_library() -> None:
    page = render(Report(verb="assess", title="Is it worth it?", verdict="go", metrics={"base_rate": 0.237}))
    assert "bokeh" not in page.lower()
    assert len(page) < 30_000
    assert "23.7%" in page


def test_a_notebook_shows_the_page_in_a_frame() -> None:
    shown = frame(evil_report())
    assert shown.count("<iframe") == 1
    assert "<script" not in shown
    assert "<img" not in shown
    assert Report(verb="a", title="t")._repr_html_() == frame(Report(verb="a", title="t"))


def test_a_notebook_shows_a_figure_with_a_picture_for_readers_without_scripts() -> None:
    shown = evil_report().figures[0]._repr_mimebundle_()
    assert set(shown) == {"text/html", "image/png", "text/plain"}
    assert base64.b64decode(shown["image/png"])[:4] == b"\x89PNG"
    hidden, _, rest = shown["text/html"].partition("</div>")
    assert hidden.startswith('<div style="display: none"><img alt="&lt;script&gt;')
    assert shown["image/png"] in hidden
    assert rest.startswith("<iframe")
    assert "<script" not in rest
    assert set(bundle(Figure(name="f", title="T", kind="line", data={}, x="x", y=()))) == {"text/plain"}


def test_a_browser_shows_it_without_complaint_or_request(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(render(evil_report()), encoding="utf-8")
    browser.open(page)
    assert browser.complaints == []
    assert browser.requests == []
    assert browser.run("document.documentElement.dataset.drawn") == "3"
    assert browser.run("document.title") == "".join(evil_report().title)
    assert browser.run("document.querySelectorAll('img').length") == 0


def test_hover_text_is_text(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(render(evil_report()), encoding="utf-8")
    browser.open(page)
    browser.run("document.querySelector('#f1').scrollIntoView({block: 'center', behavior: 'instant'})")
    box = "document.querySelector('#f1').getBoundingClientRect()"
    left, top, width, height = browser.run(f"(box => [box.x, box.y, box.width, box.height])({box})")
    for share in (0.5, 0.51, 0.52):
        browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=left + width * share, y=top + height * 0.4)
    shown = "[...document.querySelectorAll('.bk-Tooltip')].map(tip => tip.shadowRoot.textContent).join()"
    assert "<script>document" in browser.run(f"new Promise(r => setTimeout(() => r({shown}), 300))")
    assert browser.run("document.title") == evil_report().title
    assert browser.complaints == []
    assert browser.requests == []


def test_the_theme_follows_the_system_and_the_reader(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(render(evil_report()), encoding="utf-8")
    color = "getComputedStyle(document.documentElement).backgroundColor"
    axis = "[...Bokeh.documents[0].roots()][0].below[0].major_label_text_color"
    browser.open(page, scheme="dark")
    assert browser.run(color) == "rgb(20, 23, 27)"
    dark = browser.run(axis)
    browser.run("document.querySelector('[data-toggle-theme]').click()")
    assert browser.run(color) == "rgb(255, 255, 255)"
    assert browser.run(axis) != dark
    browser.run("localStorage.clear()")


def test_the_cells_of_a_heat_map_change_with_the_theme(browser: Any, tmp_path: Path) -> None:
    """The color scale, the gaps, the numbers in the cells and the pixels themselves; back again, they are as before."""
    cells = {"a": ["u", "v", "u", "v"], "b": ["s", "s", "t", "t"], "v": [0.0, 0.4, 1.0, None]}
    heat = Figure(name="h", title="H", kind="heatmap", data=cells, x="a", y=("b", "v"))
    page = tmp_path / "page.html"
    page.write_text(render(Report(verb="explore", title="T", figures=(heat,))), encoding="utf-8")
    browser.open(page, scheme="light")
    shown = """(() => {
        const view = Bokeh.documents[0].views_manager.roots[0], plot = view.model, drawn = plot.renderers[0]
        const colors = drawn.glyph.fill_color.transform
        return JSON.stringify({
            palette: colors.palette, unknown: colors.nan_color, gap: drawn.glyph.line_color.value,
            ink: [...drawn.data_source.get_column("ink")], bar: plot.right[0].color_mapper.palette,
            pixels: view.canvas_view.primary.canvas.toDataURL(),
        })
    })()"""
    paused = f"new Promise(r => setTimeout(r, 200)).then(() => {shown})"
    light = json.loads(browser.run(paused))
    browser.run("document.querySelector('[data-toggle-theme]').click()")
    dark = json.loads(browser.run(paused))
    assert (len(set(light["palette"])), light["bar"]) == (len(light["palette"]), light["palette"])
    assert [part for part in light if light[part] == dark[part]] == []
    browser.run("document.querySelector('[data-toggle-theme]').click()")
    again = json.loads(browser.run(paused))
    assert {part for part in light if light[part] != again[part]} == set()
    assert browser.complaints == []
    browser.run("localStorage.clear()")


def test_the_browser_is_named_when_there_is_none(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if shutil.which("chromium"):
        request.getfixturevalue("browser")
    else:
        with pytest.raises(pytest.skip.Exception, match="chromium"):
            request.getfixturevalue("browser")
