"""The page of figures is what its script writes, and leaves out no kind."""

import re
import sys
from pathlib import Path

import pytest

from shiplap.core.report import Figure, FigureKind

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(DOCS))
    import make_figures  # noqa: PLC0415

    monkeypatch.delitem(sys.modules, "make_figures")
    monkeypatch.delitem(sys.modules, "gallery")
    return make_figures.text()


def test_the_page_is_what_the_script_writes(page: str) -> None:
    assert (DOCS / "figures.md").read_text(encoding="utf-8") == page, "run: python docs/make_figures.py"
    pictures = set(re.findall(r"\((images/figures/[^)]+)\)", page))
    assert pictures == {f"images/figures/{path.name}" for path in (DOCS / "images" / "figures").iterdir()}


def test_every_kind_and_every_field_is_told(page: str) -> None:
    for kind in FigureKind.__args__:  # type: ignore[attr-defined]
        assert f"`{kind}`" in page
        assert f'kind="{kind}"' in (DOCS / "gallery.py").read_text(encoding="utf-8")
    told = re.findall(r"`(\w+)`", page.partition("## The record")[2].partition("## Framing")[0])
    assert {*Figure.__struct_fields__} - {"name", "title"} <= {*told}
