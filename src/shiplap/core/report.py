"""`Report`: what a verb found, as findings, metrics, tables and figures.

A figure is data (kind, columns, labels, units); whoever shows it draws it. The renderers live in
`shiplap.adapters.figures` and are found by name, so a report can be read where no plotting library is installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from shiplap.core.atomic import replacing
from shiplap.core.errors import InputError
from shiplap.core.finding import Finding
from shiplap.core.registry import Registry
from shiplap.core.run import Run

__all__ = ["Band", "Cell", "DataTable", "Figure", "FigureKind", "Metric", "Report", "Stroke", "drawers", "renderers"]

Cell = str | float | int | bool | None
Metric = float | int | str | bool | None
FigureKind = Literal["line", "bar", "histogram", "scatter", "density", "heatmap", "interval"]
Stroke = Literal["solid", "dashed", "step", "points"]

renderers: Registry[Any] = Registry("renderer", group="shiplap.renderers")
"""Functions ``(report) -> str`` by name: ``terminal``, ``markdown``, ``html``, ``notebook``."""
renderers.add_lazy("terminal", "shiplap.adapters.figures.terminal:render", extra="")
renderers.add_lazy("markdown", "shiplap.adapters.figures.markdown:render", extra="")
renderers.add_lazy("html", "shiplap.adapters.figures.page:render", extra="lab")
renderers.add_lazy("notebook", "shiplap.adapters.figures.notebook:frame", extra="lab")

drawers: Registry[Any] = Registry("drawer", group="shiplap.drawers")
"""Functions of one figure by name: ``file`` writes it, ``axes`` draws it with Matplotlib, ``notebook`` shows it; and
``folder``, which writes all figures of a report."""
drawers.add_lazy("file", "shiplap.adapters.figures.static:save", extra="lab")
drawers.add_lazy("folder", "shiplap.adapters.figures.static:save_all", extra="lab")
drawers.add_lazy("axes", "shiplap.adapters.figures.static:plot", extra="lab")
drawers.add_lazy("notebook", "shiplap.adapters.figures.notebook:bundle", extra="lab")

_WRITTEN = {".html": "html", ".md": "markdown", ".txt": "terminal"}


class DataTable(msgspec.Struct, frozen=True, kw_only=True):
    """A small table for people.

    Parameters
    ----------
    name : str
        Stable name, unique within the report.
    title : str
        What it shows.
    columns : tuple of str
        Headings, with units where a column has one.
    rows : tuple of tuple
        Cells, one tuple a row, as long as `columns`.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """An interval around one series of a figure.

    Parameters
    ----------
    of : str
        The series: one of the figure's `y`.
    low, high : str
        Keys of its `data` that hold the bounds. What the interval is ("90 % interval") is said in the figure's
        `labels`, under the key `low`.
    """

    of: str
    low: str
    high: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as data.

    Parameters
    ----------
    name : str
        Stable name, unique within the report.
    title : str
        What a reader should see in it, as a sentence where possible.
    kind : str
        How it is drawn: ``line``, ``bar``, ``histogram`` (`x` is the middle of a bin, `low` and `high` its edges when
        given), ``scatter``, ``density`` (`y` names the vertical position and then how many rows lie there, in cells of
        one size), ``heatmap`` (`y` names the rows and then the values; rows and columns stand in the order in which
        they come first), ``interval`` (a point, its bounds).
    data : dict of str to list
        Columns of equal length; None and NaN are gaps.
    x : str
        Key of `data` on the horizontal axis: numbers, dates (ISO 8601 texts) or categories (other texts).
    y : tuple of str
        Keys of `data` drawn against `x`, one series each.
    low, high : str
        Keys of `data` that bound the first series (an interval); empty when there is none.
    labels : dict of str to str
        What to call a key in a legend or on an axis, units included.
    y_label : str
        What the vertical axis measures, where several series share it; a single one says so itself.
    marks : tuple of (float or str, str)
        Vertical lines at positions of `x` (a date as its text), with what they mark.
    diagonal : bool
        Draw y = x (calibration).
    bands : tuple of Band
        More intervals: around other series, or a second, narrower one around the same.
    strokes : dict of str to str
        How a series of a line chart is drawn: ``solid`` (when left out), ``dashed`` (not observed: extrapolated,
        expected), ``step`` (constant up to the next value: shares of rows, precision by recall), ``points``.
    levels : tuple of (float, str)
        Lines at values of the series, with what they mean: a limit, what chance gives.
    spans : tuple of (float or str, float or str, str)
        Stretches of `x` that are shaded, with what they are.
    log : {"", "x", "y", "xy"}
        Axes with a logarithmic scale, on which what is not positive is not drawn; not of cells.
    center : float or None
        The value of a heat map from which two colors part, such as 0 for correlations.
    facet : str
        Key of `data` whose values split the figure into small multiples on the same axes.
    note : str
        What a reader must know to read it right (which rows, how many, what is left out), set below it.

    Examples
    --------
    >>> figure = Figure(name="f", title="It grows", kind="line", data={"t": [1, 2], "v": [3.0, 5.0]}, x="t", y=("v",))
    >>> figure.save("growth.pdf", width="column")  # doctest: +SKIP
    PosixPath('growth.pdf')
    """

    name: str
    title: str
    kind: FigureKind
    data: dict[str, list[Cell]]
    x: str
    y: tuple[str, ...]
    low: str = ""
    high: str = ""
    labels: dict[str, str] = {}
    marks: tuple[tuple[float | str, str], ...] = ()
    diagonal: bool = False
    bands: tuple[Band, ...] = ()
    strokes: dict[str, Stroke] = {}
    levels: tuple[tuple[float, str], ...] = ()
    spans: tuple[tuple[float | str, float | str, str], ...] = ()
    log: Literal["", "x", "y", "xy"] = ""
    y_label: str = ""
    center: float | None = None
    facet: str = ""
    note: str = ""

    def save(self, path: str | Path, **look: Any) -> Path:
        """Write the figure as a file that a paper or a slide can take: PDF, SVG or PNG, by the suffix of `path`.

        Parameters
        ----------
        path : path
            File to write; ``.pdf``, ``.svg`` or ``.png``.
        **look
            How it looks: `width` (``"column"`` 89 mm, ``"page"`` 183 mm, or inches), `height` (inches), `theme`
            (``"light"``, ``"dark"``), `font` (``"sans"``, ``"serif"``), `dpi` of a PNG (300), `title` (True).

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            Another suffix, an unknown option, or a folder that cannot be written.
        MissingExtraError
            Matplotlib is not installed.
        """
        written: Path = drawers.get("file")(self, path, **look)
        return written

    def plot(self, ax: Any = None, **look: Any) -> Any:
        """Draw the figure with Matplotlib, into `ax` where one is given, and return its axes.

        Small multiples need a figure of their own: they are drawn where `ax` is left out, and come as an array.
        """
        return drawers.get("axes")(self, ax, **look)

    def __repr__(self) -> str:
        return f"Figure({self.name!r}, {self.title!r}, kind={self.kind!r})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = drawers.get("notebook")(self)
        return bundle


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one verb found.

    Parameters
    ----------
    verb : str
        The verb that made it.
    title : str
        One line.
    verdict : str
        The verb's own answer in a word: ``go``, ``no-go``, ``collect more``, ``holds``, ``broken``, ``done`` ...
    holds : bool
        False when what was checked does not hold (exit code 1).
    findings, tables, figures : tuple
        In the order a reader should meet them.
    metrics : dict
        Named figures, units in the names where they have one (``latency_p50_us``).
    run : Run or None
        The execution that made it.
    parts : tuple of Report
        Reports of the steps, for a verb that runs others.

    Examples
    --------
    >>> report = Report(verb="assess", title="Is it worth it?", verdict="go", metrics={"auc": 0.71})
    >>> msgspec.json.decode(report.to_json(), type=Report) == report
    True
    """

    verb: str
    title: str
    verdict: str = "done"
    holds: bool = True
    findings: tuple[Finding, ...] = ()
    tables: tuple[DataTable, ...] = ()
    figures: tuple[Figure, ...] = ()
    metrics: dict[str, Metric] = {}
    run: Run | None = None
    parts: tuple[Report, ...] = ()

    def part(self, verb: str) -> Report:
        """Return the report of one step.

        Raises
        ------
        KeyError
            No step of that name was run.
        """
        for report in self.parts:
            if report.verb == verb:
                return report
        raise KeyError(verb)

    def figure(self, name: str) -> Figure:
        """Return the figure called `name`; raises ``KeyError`` when there is none."""
        for figure in self.figures:
            if figure.name == name:
                return figure
        raise KeyError(name)

    def table(self, name: str) -> DataTable:
        """Return the table called `name`; raises ``KeyError`` when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)

    def to_json(self) -> bytes:
        """Encode the report as JSON; what ``--json`` prints."""
        return msgspec.json.encode(self)

    def to_markdown(self) -> str:
        """Render the report as Markdown."""
        return str(renderers.get("markdown")(self))

    def to_html(self) -> str:
        """Render the report as one self-contained page."""
        return str(renderers.get("html")(self))

    def save(self, path: str | Path, **look: Any) -> tuple[Path, ...]:
        """Write the report: as a page (``.html``), Markdown (``.md``), text (``.txt``) or data (``.json``).

        A path without a suffix is a folder: each figure is written to it as PDF, SVG and PNG.

        Parameters
        ----------
        path : path
            File or folder to write.
        **look
            How the figures in a folder look; see `Figure.save`.

        Returns
        -------
        tuple of Path
            What was written.

        Raises
        ------
        InputError
            Another suffix, or a folder that cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> report = Report(verb="assess", title="Is it worth it?", verdict="go")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report.save(f"{folder}/assess.md")[0].read_text().splitlines()
        ['# Is it worth it?', '', '**go**']
        """
        path = Path(path)
        if not path.suffix:
            written: tuple[Path, ...] = drawers.get("folder")(self, path, **look)
            return written
        if path.suffix != ".json" and path.suffix not in _WRITTEN:
            known = ", ".join([*_WRITTEN, ".json"])
            raise InputError(f"a report is written as {known}, not '{path.suffix}'", hint="or name a folder: figures")
        text = self.to_json() if path.suffix == ".json" else str(renderers.get(_WRITTEN[path.suffix])(self)).encode()
        with replacing(path) as part:
            part.write_bytes(text)
        return (path,)

    def __repr__(self) -> str:
        return f"Report({self.verb!r}, {self.title!r}, verdict={self.verdict!r})"

    def _repr_html_(self) -> str:
        return str(renderers.get("notebook")(self))

    def __str__(self) -> str:
        return str(renderers.get("terminal")(self))
