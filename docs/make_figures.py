"""Make docs/figures.md and its pictures from the gallery: one picture for every kind and every stage.

Usage: python docs/make_figures.py    (half a minute; OMP_NUM_THREADS=1 on a busy machine)
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from gallery import GALLERY, Shown

ROOT = Path(__file__).parent
PICTURES = ROOT / "images" / "figures"

HEAD = """# Figures

A figure in a report is data: a kind, columns, labels, intervals. Four renderers draw the same record: the page
(Bokeh, interactive, offline), files for papers and slides (Matplotlib in Seaborn's style), the terminal, and a
notebook. The pictures below are drawn from real data by `docs/make_figures.py`; the records are in
[gallery.py](gallery.py).

## Saving

```python
report.save("explore.html")  # the page
report.save("figures")  # a folder: each figure as PDF, SVG and PNG
figure = report.figure("distribution.distance")
figure.save("distance.pdf")  # 89 mm, a column of a journal
figure.save("distance.svg", width="page", font="serif", title=False)
figure.save("distance.png", width=6.0, theme="dark", dpi=300)
ax = figure.plot()  # Matplotlib axes, to go on with
```

On the command line every verb that draws takes `--figures FOLDER`; `shiplap present report.json --figures FOLDER`
draws the figures of a saved report.

PDFs embed their fonts as TrueType, text in SVGs stays text, and the same figure is the same bytes. In a notebook a
figure shows itself interactively; it carries a picture beside it for readers that run no scripts.

## Seen by everyone

- Any two of the six series colors lie at least 12 apart by CIEDE2000, in the light and in the dark, to normal eyes and
  with protanopia, deuteranopia and tritanopia as simulated after Machado, Oliveira and Fernandes (2009); a test holds
  this. Scales grow in lightness alone, so they read in gray.
- Series differ by dashes, markers or hatches as well as by color.
- Pages follow the system's light or dark, and print black on white with no figure cut.
- Below each figure on a page stand its numbers, where they are few.

## The record

| field | what it says |
|---|---|
| `kind` | `line`, `bar`, `histogram`, `scatter`, `density`, `heatmap`, `interval` |
| `data`, `x`, `y` | columns; numbers, dates (ISO 8601) or categories across, one series for each key of `y` |
| `low`, `high`, `bands` | an interval around the first series; more, around any series, wide before narrow |
| `strokes` | a series of a line chart `solid`, `dashed` (not observed), `step` or `points` |
| `marks`, `levels`, `spans` | labelled lines across and up, shaded stretches |
| `log`, `diagonal`, `center` | logarithmic axes, y = x, where two colors part |
| `facet` | a column whose values make small multiples |
| `labels`, `y_label`, `note` | names with units, the vertical axis of several series, what must be known |
"""


def text() -> str:
    """Return the page."""
    lines = [HEAD]
    for stage in dict.fromkeys(shown.stage for shown in GALLERY):
        lines.append(f"## {stage}\n")
        lines += [_entry(shown) for shown in GALLERY if shown.stage == stage]
    return "\n".join(lines)


def _entry(shown: Shown) -> str:
    why = shown.why[0].upper() + shown.why[1:]
    return f"{why}.\n\n![{shown.why}](images/figures/{shown.make.__name__}.png)\n"


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    for shown in GALLERY:
        shown.make().save(PICTURES / f"{shown.make.__name__}.png", width=4.6, dpi=150)
    (ROOT / "figures.md").write_text(text(), encoding="utf-8")
