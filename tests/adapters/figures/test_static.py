import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure as Canvas
from matplotlib.image import imread

from shiplap.adapters.figures.palette import tones
from shiplap.core.errors import InputError
from shiplap.core.report import Band, Figure, Report

FIGURE = Figure(
    name="f", title="Ünïcode $ and _more_", kind="line",
    data={"t": [1.0, 2.0, 3.0], "a": [1.0, 2.0, 3.0], "b": [3.0, 2.5, 2.0], "c": [2.0, 2.0, 2.0],
          "low": [0.5, 1.5, 2.5], "high": [1.5, 2.5, 3.5]},
    x="t", y=("a", "b", "c"), bands=(Band(of="a", low="low", high="high"),), strokes={"c": "dashed"},
    labels={"low": "95 % interval"},
)  # fmt: skip


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_the_same_figure_is_the_same_bytes(kind: str, tmp_path: Path) -> None:
    one, other = (FIGURE.save(tmp_path / f"{name}.{kind}").read_bytes() for name in ("one", "other"))
    assert one == other


def test_a_pdf_embeds_its_fonts_as_truetype_and_fits_a_column(tmp_path: Path) -> None:
    written = FIGURE.save(tmp_path / "f.pdf", width="column").read_bytes()
    parts = [
        zlib.decompress(part) for part in re.findall(rb"FlateDecode.*?stream\r?\n(.*?)\r?\nendstream", written, re.S)
    ]
    assert b"/FontFile2" in written + b"".join(parts)
    assert b"/Type3" not in written + b"".join(parts)
    width = float(re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", written)[1])  # type: ignore[index]
    assert width / 72 * 25.4 == pytest.approx(89, abs=0.5)


def test_text_of_an_svg_is_text_and_no_spine_stands_above_or_to_the_right(tmp_path: Path) -> None:
    written = FIGURE.save(tmp_path / "f.svg").read_text(encoding="utf-8")
    assert "Ünïcode $ and _more_" in written
    ax = FIGURE.plot(Canvas().subplots())
    assert not ax.spines["top"].get_visible()
    assert not ax.spines["right"].get_visible()


def test_a_png_has_the_dots_it_was_asked_for_and_the_color_of_its_theme(tmp_path: Path) -> None:
    for theme in ("light", "dark"):
        pixels = imread(FIGURE.save(tmp_path / f"{theme}.png", width=3.0, dpi=100, theme=theme))
        assert pixels.shape[1] == 300
        paper = tones(theme).paper  # type: ignore[arg-type]
        assert "#" + "".join(f"{round(channel * 255):02x}" for channel in pixels[2, 2, :3]) == paper


def test_lines_are_told_apart_in_gray() -> None:
    ax = FIGURE.plot(Canvas().subplots())
    assert len({(line.get_linestyle(), str(line._dash_pattern), line.get_marker()) for line in ax.lines}) == 3


def test_bars_are_told_apart_in_gray() -> None:
    figure = Figure(
        name="f", title="", kind="bar", data={"c": ["u", "v"], "a": [1, 2], "b": [2, 1]}, x="c", y=("a", "b")
    )
    assert {bar.get_hatch() for bar in figure.plot(Canvas().subplots()).patches} == {"", "////"}


def test_what_is_drawn_lies_where_the_data_does() -> None:
    ax = FIGURE.plot(Canvas().subplots())
    assert [list(line.get_ydata()) for line in ax.lines] == [FIGURE.data[key] for key in "abc"]
    log = Figure(name="f", title="", kind="line", data={"t": [1, 10], "a": [0.0, 5.0]}, x="t", y=("a",), log="xy")
    ax = log.plot(Canvas().subplots())
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert np.isnan(ax.lines[0].get_ydata()[0])


def test_a_step_holds_up_to_the_next_known_value() -> None:
    data = {"t": [1.0, 2.0, 3.0, 0.0], "a": [1.0, None, 3.0, None]}
    figure = Figure(name="f", title="", kind="line", data=data, x="t", y=("a",), strokes={"a": "step"})
    assert list(figure.plot(Canvas().subplots()).lines[0].get_xdata()) == [1.0, 3.0]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"theme": "sepia"}, "light or dark"),
        ({"widht": 3}, "widht"),
        ({"width": -1}, "above 0"),
        ({"font": 3}, "serif"),
    ],
)
def test_an_unknown_look_is_refused(asked: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        FIGURE.save(tmp_path / "f.pdf", **asked)


def test_another_suffix_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pdf, svg, png"):
        FIGURE.save(tmp_path / "f.gif")
    with pytest.raises(InputError, match="no folder"):
        FIGURE.save(tmp_path / "none" / "f.pdf")
    with pytest.raises(InputError, match=r"\.html"):
        Report(verb="a", title="t").save(tmp_path / "f.docx")


def test_a_report_is_saved_as_what_its_path_says(tmp_path: Path) -> None:
    report = Report(verb="a", title="The title", figures=(FIGURE,))
    for name in ("r.html", "r.md", "r.txt", "r.json"):
        (path,) = report.save(tmp_path / name)
        assert "The title" in path.read_text(encoding="utf-8")
    assert sorted(path.name for path in report.save(tmp_path / "figures")) == ["f.pdf", "f.png", "f.svg"]


def test_small_multiples_need_a_figure_of_their_own() -> None:
    columns = {"x": [1, 2, 1, 2], "y": [1, 2, 3, 4], "who": ["a", "a", "b", "b"]}
    figure = Figure(name="f", title="", kind="line", data=columns, x="x", y=("y",), facet="who")
    with pytest.raises(InputError, match="own"):
        figure.plot(Canvas().subplots())
