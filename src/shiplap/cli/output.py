"""What every verb prints: a report for people, JSON for programs, progress on a terminal."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from shiplap.core.errors import ShiplapError
from shiplap.core.progress import listening
from shiplap.core.report import Report, drawers

__all__ = ["finish", "print_error", "print_path", "progress", "write_figures", "write_page"]


def finish(report: Report, *, as_json: bool, then: str = "") -> None:
    """Print a report and leave with its exit code (0 when it holds, 1 when not)."""
    if as_json:
        click.echo(report.to_json())
    else:
        click.echo(str(report))
        if then:
            click.echo(then)
    if not report.holds:
        raise click.exceptions.Exit(1)


def write_page(report: Report, path: Path | None) -> str:
    """Write the report as one page where a path is given; return what to say of it."""
    if path is None:
        return ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.to_html(), encoding="utf-8")
    return f"page written to {path}"


def write_figures(report: Report, folder: Path | None, *said: str) -> str:
    """Write the figures as files where a folder is given; return what to say of it, after what is said already."""
    written = () if folder is None else drawers.get("folder")(report, folder)
    told = f"{len({path.stem for path in written})} figures written to {folder}" if folder is not None else ""
    return "\n".join(text for text in (*said, told) if text)


def print_path(path: Path, *, as_json: bool, said: str) -> None:
    """Say where something was written."""
    click.echo(json.dumps({"path": str(path)}) if as_json else f"{said} {path}")


def print_error(error: ShiplapError, *, as_json: bool) -> None:
    """Print one line: what was expected, what came, what to do."""
    if as_json:
        click.echo(json.dumps({"error": error.message, "hint": error.hint, "exit_code": error.exit_code}))
    else:
        said = "".join(letter if letter.isprintable() else " " for letter in str(error))  # a terminal obeys some
        click.echo(f"{click.style('error:', fg='red', bold=True)} {said}", err=True)


@contextmanager
def progress(*, quiet: bool) -> Iterator[None]:
    """Show what is being done on standard error: one changing line on a terminal, a line a step elsewhere."""
    if quiet:
        yield
        return
    teller = _Terminal() if sys.stderr.isatty() else _Lines()
    with listening(teller.tell):
        try:
            yield
        finally:
            teller.close()


class _Lines:
    """A line a step, and of what goes on inside one a line every few seconds; what a log file wants."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._told = self._started

    def tell(self, text: str, done: float | None) -> None:
        now = time.monotonic()
        if done is None or now - self._told > 5:
            self._told = now
            click.echo(f"[{now - self._started:6.1f} s] {text}", err=True)

    def close(self) -> None:
        pass


class _Terminal:
    """One line that changes in place, with a bar where the fraction is known, and a clock that never stands still."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._drawn = 0.0
        self._text = ""
        self._bar = ""
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="shiplap-clock", daemon=True)

    def tell(self, text: str, done: float | None) -> None:
        now = time.monotonic()
        if text == self._text and now - self._drawn < 0.1:
            return
        if not self._text:
            self._clock.start()
        bar = "" if done is None else f" {'━' * round(20 * done):<20} {done:4.0%}"
        with self._lock:
            self._text, self._bar, self._drawn = text, bar, now
            self._draw()

    def _tick(self) -> None:
        while not self._closed.wait(1.0):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns
        line = f"{time.monotonic() - self._started:5.0f} s  {self._text}{self._bar}"[: width - 1]
        sys.stderr.write(f"\r\x1b[2K{line}")
        sys.stderr.flush()

    def close(self) -> None:
        if self._text:
            self._closed.set()
            self._clock.join()
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()
