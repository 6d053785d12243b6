"""Every kind of figure x every renderer, on the same records: what is awkward breaks none, and none forgets it."""

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bokeh.embed import json_item
from msgspec.structs import replace

from shiplap.adapters.figures import markdown, page, terminal
from shiplap.adapters.figures.bokeh import draw
from shiplap.adapters.figures.sketch import panels
from shiplap.adapters.figures.static import as_png, save
from shiplap.core.report import Band, Cell, Figure, FigureKind, Report

KINDS: tuple[FigureKind, ...] = ("line", "bar", "histogram", "scatter", "density", "heatmap", "interval")
NAMES = [
    "<img src=x onerror=alert(1)>",
    "a" * 300,
    "Ünïcödé 日本語 🚢 عربى",
    "$x^2$ \\(y\\) $$",
    "line\nbreak\x1b[31m",
    "",
    "_a_|b",
]
AWKWARD: dict[str, tuple[list[Cell], list[Cell]]] = {
    "empty": ([], []),
    "one point": ([3.0], [5.0]),
    "one category": (["only"], [0.0]),
    "nothing known": ([1.0, 2.0], [None, math.nan]),
    "gaps": ([1.0, None, 3.0, 4.0, math.nan], [None, 1.0, math.nan, 2.0, 5.0]),
    "infinite": ([1.0, math.inf, 3.0], [math.inf, 1.0, -math.inf]),
    "wide range": ([1e-9, 1.0, 1e12], [1e12, 1e-9, 1.0]),
    "beyond every axis": ([1e308, -1e308, 10**300], [1e308, -1e308, 5e-324]),
    "all the same": ([2.0, 2.0, 2.0], [7.0, 7.0, 7.0]),
    "negative": ([-3.0, -2.0, -1.0], [-5.0, -1e-3, -7e6]),
    "60 categories": ([f"category {number}" for number in range(60)], [float(number) for number in range(60)]),
    "names": (list(NAMES), [float(number) for number in range(len(NAMES))]),
    "dates": (["2013-01-01", "2013-02-01T10:30:00Z", None, "2013-12-31"], [1, 2, 3, 4]),
    "months": (["2013-01", "2013-02"], [0.1, 0.9]),
    "booleans": ([True, False, None], [1, 2, 3]),
    "mixed": (["a", 1, None, True], [1, 2.5, None, 3]),
}
FORMS: dict[str, dict[str, object]] = {
    "plain": {},
    "full": {
        "low": "low", "high": "high",
        "bands": (Band(of="z", low="low", high="high"), Band(of="no", low="low", high="high")),
        "marks": ((1.0, NAMES[0]), ("2013-02-01", "change"), (math.nan, "nowhere"), ("never", "x")),
        "levels": ((2.0, NAMES[3]), (math.inf, "far")),
        "spans": ((1.0, 2.0, NAMES[2]), ("2013-01-05", "2013-03-01", "")),
        "strokes": {"y": "step", "z": "points"}, "diagonal": True, "center": 0.0, "note": NAMES[0], "y_label": NAMES[3],
    },
    "log": {"log": "xy", "low": "low", "high": "high", "strokes": {"z": "dashed"}, "levels": ((0.0, "none"),)},
    "facets": {"facet": "who", "low": "low", "high": "high"},
}  # fmt: skip


def record(kind: FigureKind, case: str, form: str) -> Figure:
    x, y = AWKWARD[case]
    who = [NAMES[number % 3] for number in range(len(x))]
    data = {"x": list(x), "y": list(y), "z": list(reversed(y)), "low": list(y), "high": list(y), "who": who}
    return Figure(name=NAMES[0], title=NAMES[0], kind=kind, data=data, x="x", y=("y", "z"), **FORMS[form])  # type: ignore[arg-type]


def by_bokeh(figure: Figure, folder: Path) -> str:
    read = panels(figure)
    return str([json_item(draw(drawn, read)) for drawn in read])


def by_matplotlib(figure: Figure, folder: Path) -> str:
    return save(figure, folder / "figure.svg").read_text(encoding="utf-8")


def by_terminal(figure: Figure, folder: Path) -> str:
    return terminal.render(Report(verb="explore", title="T", figures=(figure,)))


def by_markdown(figure: Figure, folder: Path) -> str:
    return markdown.render(Report(verb="explore", title="T", figures=(figure,)))


def by_page(figure: Figure, folder: Path) -> str:
    written = page.render(Report(verb="explore", title="T", figures=(figure,)))
    return written.partition("<body>")[2]


def _form(number: int) -> str:
    """Go through the forms: a picture takes a tenth of a second, so each case is drawn in one of them by each kind.

    The one moves on from kind to kind and from case to case, so every two of kind, case and form meet.
    """
    return list(FORMS)[number % len(FORMS)]


RENDERERS: tuple[Callable[[Figure, Path], str], ...] = (by_matplotlib, by_terminal, by_markdown, by_page)


@pytest.mark.parametrize("render", [by_terminal, by_markdown], ids=lambda render: render.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_awkward_breaks_a_renderer(kind: FigureKind, render: Callable[..., str], tmp_path: Path) -> None:
    for case, form in itertools.product(AWKWARD, FORMS):
        assert isinstance(render(record(kind, case, form), tmp_path), str), (case, form)


@pytest.mark.parametrize("render", [by_matplotlib, by_bokeh], ids=lambda render: render.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_awkward_breaks_a_picture(kind: FigureKind, render: Callable[..., str], tmp_path: Path) -> None:
    for number, case in enumerate(AWKWARD):
        form = _form(KINDS.index(kind) + number)
        assert isinstance(render(record(kind, case, form), tmp_path), str), (case, form)


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_text(kind: FigureKind, tmp_path: Path) -> None:
    figures = tuple(record(kind, "names", form) for form in FORMS)
    written = page.render(Report(verb="explore", title="T", figures=figures)).partition("<body>")[2]
    written = re.sub(r'<script type="application/json".*?</script>', "", written)
    for text in (written, *(by_matplotlib(record(kind, "names", form), tmp_path) for form in ("full", "facets"))):
        assert "<img" not in text
        assert "\x1b" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_is_what_was_given(kind: FigureKind, tmp_path: Path) -> None:
    columns: dict[str, list[Cell]] = {"x": ["red", "green", "blue"], "y": ["u", "v", "w"], "n": [1.5, 2.5, 4.5]}
    cells = kind in {"heatmap", "density"}
    labels = {"x": "the color", "n": "the amount"}
    y = ("y", "n") if cells else ("n",)
    figure = Figure(name="f", title="The title", kind=kind, data=columns, x="x", y=y, labels=labels)
    svg, drawn = by_matplotlib(figure, tmp_path), by_bokeh(figure, tmp_path)
    for said in ("green", "the color", "the amount"):
        if kind not in {"bar", "histogram", "interval"} or said != "the color":  # what lies down needs no title across
            assert said in svg, said
        assert said in drawn, said
    assert "The title" in svg


def test_small_multiples_are_all_drawn(tmp_path: Path) -> None:
    columns: dict[str, list[Cell]] = {
        "x": [1, 2] * 5,
        "y": list(range(10)),
        "who": [f"panel {n // 2}" for n in range(10)],
    }
    figure = Figure(name="f", title="T", kind="line", data=columns, x="x", y=("y",), facet="who")
    for render in RENDERERS:
        written = render(figure, tmp_path)
        assert all(f"panel {number}" in written for number in range(5)), render.__name__


def test_colors_around_a_center_have_no_logarithmic_scale(tmp_path: Path) -> None:
    figure = record("density", "wide range", "full")
    assert isinstance(by_matplotlib(figure, tmp_path) + by_bokeh(figure, tmp_path), str)


@pytest.mark.parametrize("case", ["one point", "all the same"])
def test_a_histogram_of_one_value_has_a_range(case: str, tmp_path: Path) -> None:
    for log in ("", "x"):
        figure = replace(record("histogram", case, "plain"), low="low", high="high", log=log)
        assert isinstance(by_matplotlib(figure, tmp_path), str)


def test_a_png_is_a_png() -> None:
    assert as_png(record("line", "dates", "full"), dpi=40)[:8] == b"\x89PNG\r\n\x1a\n"
