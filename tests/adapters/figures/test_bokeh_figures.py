import logging
import math

import pytest
from bokeh.embed import json_item
from bokeh.models import BoxAnnotation, Label, Span
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.adapters.figures.bokeh import draw
from shiplap.adapters.figures.sketch import Sketch, panels, sketch
from shiplap.core.report import Band, Figure, FigureKind

KINDS: tuple[FigureKind, ...] = ("line", "bar", "histogram", "scatter", "density", "heatmap", "interval")
cells = st.one_of(st.none(), st.floats(), st.integers(-(10**12), 10**12))


def read(kind: FigureKind, x: list[object], y: list[object], **fields: object) -> Sketch:
    columns = {"x": x, "y": y, "z": y, "low": y, "high": y}
    given = {"low": "low", "high": "high", "y": ("y", "z"), "marks": ((1.0, "here"),)}
    return sketch(Figure(name="f", title="F", kind=kind, data=columns, x="x", **{**given, **fields}))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "x", [[1.0, 2.0, 4.0], ["a", "b", "<i>c"], ["2013-01", "2013-02", "2013-03"], [True, False, None]]
)
def test_every_kind_is_drawn_over_every_axis(
    kind: FigureKind, x: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert json_item(draw(read(kind, x, [0.5, None, -2.0])))
    assert not caplog.records


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=20)
@given(
    rows=st.lists(st.tuples(st.one_of(cells, st.text(max_size=8)), cells), max_size=6),
    log=st.sampled_from(["", "x", "y", "xy"]),
)
def test_no_data_breaks_a_drawing(kind: FigureKind, rows: list[tuple[object, object]], log: str) -> None:
    plot = draw(read(kind, [x for x, _ in rows], [y for _, y in rows], log=log))
    ends = [plot.x_range.start, plot.x_range.end, plot.y_range.start, plot.y_range.end]
    assert all(math.isfinite(end) for end in ends if isinstance(end, float))


def test_marks_levels_and_spans_are_labelled() -> None:
    drawn = read(
        "line", [0.0, 1.0], [0.0, 1.0],
        marks=((0.3, "chosen"), (0.4, "break-even")), levels=((0.5, "chance"),), spans=((0.6, 0.9, "later"),),
    )  # fmt: skip
    around = draw(drawn).center
    assert [(s.dimension, s.location) for s in around if isinstance(s, Span) and s.location] == [
        ("width", 0.5), ("height", 0.3), ("height", 0.4),
    ]  # fmt: skip
    assert [label.text for label in around if isinstance(label, Label)] == ["later", "chance", "chosen", "break-even"]
    assert [(box.left, box.right) for box in around if isinstance(box, BoxAnnotation)] == [(0.6, 0.9)]


def test_a_mark_at_a_date_stands_where_the_date_does() -> None:
    drawn = read("line", ["1970-01-01", "1970-01-03"], [1.0, 2.0], marks=(("1970-01-02", "change"),))
    assert drawn.marks == ((86_400_000.0, "change"),)


def test_a_diagonal_runs_through_the_square() -> None:
    plot = draw(read("line", [0.0, 0.5], [0.1, 0.6], diagonal=True, marks=()))
    assert any(type(renderer.glyph).__name__ == "Segment" for renderer in plot.renderers)


def test_strokes_choose_the_glyph_and_the_dash() -> None:
    columns = {name: [1.0, 2.0] for name in ("x", "a", "b", "c", "d")}
    figure = Figure(
        name="f", title="F", kind="line", data=columns, x="x", y=("a", "b", "c", "d"),
        strokes={"b": "dashed", "c": "step", "d": "points"}, bands=(Band(of="c", low="a", high="b"),),
    )  # fmt: skip
    glyphs = [renderer.glyph for renderer in draw(sketch(figure)).renderers]
    assert [type(glyph).__name__ for glyph in glyphs] == ["VAreaStep", "Line", "Scatter", "Line", "Step", "Scatter"]
    dashes = [tuple(glyph.line_dash) for glyph in glyphs if type(glyph).__name__ in {"Line", "Step"}]
    assert dashes[0] == ()
    assert len(set(dashes)) == 3


def test_bars_of_several_series_differ_without_color() -> None:
    plot = draw(read("bar", ["a", "b"], [1.0, 2.0]))
    hatches = [bars.glyph.hatch_pattern for bars in plot.renderers if type(bars.glyph).__name__ in {"VBar", "HBar"}]
    assert len(hatches) == len(set(hatches)) == 2


def test_small_multiples_share_their_axes() -> None:
    columns = {"x": [0, 1, 0, 5], "y": [1, 2, -3, 9], "who": ["a", "a", "b", "b"]}
    figure = Figure(name="f", title="F", kind="line", data=columns, x="x", y=("y",), facet="who")
    drawn = panels(figure)
    plots = [draw(one, drawn) for one in drawn]
    assert len({(p.x_range.start, p.x_range.end, p.y_range.start, p.y_range.end) for p in plots}) == 1
    assert plots[0].x_range.end >= 5
    assert plots[0].y_range.start <= -3


def test_nothing_is_read_as_mathematics_or_markup() -> None:
    item = str(json_item(draw(read("bar", ["$$x$$", "\\[y\\]", "\\(z\\)"], [1, 2, 3], labels={"y": "<b>@x $y"}))))
    assert "$$" not in item
    assert "\\[" not in item.replace("\\\\", "\\")
    assert "&lt;b&gt;&#64;x &#36;y" in item
