"""What a section hands back: tables, and aims that were held or missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

Cell = str | float | int


@dataclass(frozen=True)
class Aim:
    """A figure, and the bound it is held to."""

    text: str
    value: float
    bound: float
    at_most: bool = True

    @property
    def held(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def __str__(self) -> str:
        sign = "at most" if self.at_most else "at least"
        return f"  {'held  ' if self.held else 'MISSED'}  {self.text}: {self.value:,.2f} ({sign} {self.bound:g})"


@dataclass
class Table:
    """Figures of one section; a cell that is a text may be the reason why there is no figure."""

    title: str
    heads: Sequence[str]
    rows: list[Sequence[Cell]] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: Cell) -> None:
        self.rows.append(cells)

    def fail(self, name: str, reason: object) -> None:
        """Say in a line why a server has no figures."""
        self.rows.append((name, f"not measured: {reason}"))

    def show(self) -> None:
        texts = [[shown(cell) for cell in row] for row in self.rows]
        whole = [row for row in texts if len(row) == len(self.heads)]
        widths = [max(len(row[place]) for row in [list(self.heads), *whole]) for place in range(len(self.heads))]
        widths[0] = max([widths[0], *(len(row[0]) for row in texts)])
        print(f"\n{self.title}")
        for row in [list(self.heads), *texts]:
            cells = [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=False)]
            print("  " + row[0].ljust(widths[0]) + "  " + ("  ".join(cells) if len(row) != 2 else row[1]))
        for line in [*map(str, self.aims), *(f"  {note}" for note in self.notes)]:
            print(line)

    def plain(self) -> dict[str, Any]:
        """Return everything as values of JSON."""
        rows = [
            dict(zip(self.heads if len(row) == len(self.heads) else ("", "reason"), row, strict=True))
            for row in self.rows
        ]
        aims = [
            {"aim": aim.text, "value": aim.value, "bound": aim.bound, "at_most": aim.at_most, "held": aim.held}
            for aim in self.aims
        ]
        return {"title": self.title, "rows": rows, "aims": aims, "notes": self.notes}


def shown(cell: Cell) -> str:
    """Return a number with three digits that count, or a text as it is."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}"
    places = 0 if abs(cell) >= 100 else 1 if abs(cell) >= 10 else 2
    return f"{cell:,.{places}f}"


def versions() -> str:
    names = ["shiplap", "uvloop", "httptools", "msgspec", "onnxruntime", "scikit-learn", "lightgbm"]
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)
