import logging
import math

import pytest
from bokeh.embed import json_item
from bokeh.models import Span
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.adapters.figures.bokeh import draw
from shiplap.core.report import Figure, FigureKind

KINDS: tuple[FigureKind, ...] = ("line", "bar", "histogram", "scatter", "heatmap", "interval")
cells = st.one_of(st.none(), st.floats(), st.integers(-(10**12), 10**12))


def figure(kind: FigureKind, x: list[object], y: list[object], **fields: object) -> Figure:
    columns = {"x": x, "y": y, "z": y, "low": y, "high": y}
    given = {"low": "low", "high": "high", "y": ("y", "z"), "marks": ((1.0, "here"),)}
    return Figure(name="f", title="F", kind=kind, data=columns, x="x", **{**given, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "x", [[1.0, 2.0, 4.0], ["a", "b", "<i>c"], ["2013-01", "2013-02", "2013-03"], [True, False, None]]
)
def test_every_kind_is_drawn_over_every_axis(
    kind: FigureKind, x: list[object], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert json_item(draw(figure(kind, x, [0.5, None, -2.0])))
    assert not caplog.records


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=20)
@given(rows=st.lists(st.tuples(st.one_of(cells, st.text(max_size=8)), cells), max_size=6))
def test_no_data_breaks_a_drawing(kind: FigureKind, rows: list[tuple[object, object]]) -> None:
    plot = draw(figure(kind, [x for x, _ in rows], [y for _, y in rows]))
    ends = [plot.x_range.start, plot.x_range.end, plot.y_range.start, plot.y_range.end]
    assert not any(isinstance(end, float) and math.isnan(end) for end in ends)


def test_marks_are_labelled_lines() -> None:
    plot = draw(figure("line", [0.0, 1.0], [0.0, 1.0], marks=((0.3, "chosen"), (0.4, "break-even"))))
    assert [span.location for span in plot.center if isinstance(span, Span)] == [0.3, 0.4]
    assert [label.text for label in plot.center if type(label).__name__ == "Label"] == ["chosen", "break-even"]


def test_a_diagonal_runs_through_the_square() -> None:
    plot = draw(figure("line", [0.0, 0.5], [0.1, 0.6], diagonal=True, marks=()))
    assert any(type(renderer.glyph).__name__ == "Segment" for renderer in plot.renderers)


def test_nothing_is_read_as_mathematics_or_markup() -> None:
    item = str(json_item(draw(figure("bar", ["$$x$$", "\\[y\\]", "\\(z\\)"], [1, 2, 3], labels={"y": "<b>@x $y"}))))
    assert "$$" not in item
    assert "\\[" not in item.replace("\\\\", "\\")
    assert "&lt;b&gt;&#64;x &#36;y" in item
