import io
import sys

import pytest

from shiplap.adapters.figures.terminal import render
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report

REPORT = Report(
    verb="assess",
    title="Is it \x1b[31mworth[/] it?",
    verdict="no-go",
    holds=False,
    findings=(
        Finding(check="a", verdict="fail", means="a tells [bold]all", todo="drop it", columns=("a", "x")),
        Finding(check="b", verdict="good", means="nothing else does"),
    ),
    tables=(DataTable(name="t", title="T", columns=("policy", "share"), rows=(("never", 0.25), ("a" * 200, None))),),
    figures=(
        Figure(name="i", title="What drives it", kind="bar", data={"c": ["a", "b"], "v": [4, 1]}, x="c", y=("v",)),
        Figure(name="l", title="Money", kind="line", data={"t": [0, 1, 2], "m": [0.0, 5.0, None]}, x="t", y=("m",)),
    ),
    metrics={"gain_per_1000": -12.5, "unit": "EUR"},
    parts=(Report(verb="train", title="Model", findings=(Finding(check="c", verdict="note", means="calm"),)),),
)  # fmt: skip


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_plain_text_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = render(REPORT).splitlines()
    assert lines[0] == "Is it �[31mworth[/] it?  no-go"
    assert "  ✕ a tells [bold]all  x" in lines
    assert "    drop it" in lines
    assert any(line.split() == ["never", "25%"] for line in lines)
    assert any(line.split()[:2] == ["a", "4"] and "█" * 20 in line for line in lines if line.split())
    assert "gain per 1,000  −12.50 EUR" in render(REPORT)
    assert "calm" not in render(REPORT)
    assert "\x1b" not in render(REPORT)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", ["40", "60"])
def test_it_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert max(map(len, render(REPORT).splitlines())) <= int(width)


def test_color_on_a_terminal_unless_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in render(REPORT)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in render(REPORT)


def test_an_encoding_without_the_glyphs_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    assert render(REPORT).isascii()
