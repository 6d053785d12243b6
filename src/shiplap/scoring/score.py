"""`score`: answer a file of rows, in constant memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import InputError, RowError, TableError
from shiplap.core.finding import Finding
from shiplap.core.progress import tell
from shiplap.core.report import Metric, Report
from shiplap.core.ship import Ship
from shiplap.scoring.answerfiles import writing
from shiplap.scoring.rowfiles import Batch, open_rows
from shiplap.scoring.scorer import Scorer, load

__all__ = ["score"]


def score(
    ship: str | Path | Ship | Scorer,
    source: str | Path,
    out: str | Path,
    *,
    keep: Iterable[str] = (),
    on_error: Literal["stop", "fallback"] = "stop",
    batch_rows: int = 8192,
) -> Report:
    """Answer every row of a file, in order, in constant memory; the answers are there whole or not at all.

    Parameters
    ----------
    ship : str, Path, Ship or Scorer
        What answers.
    source : str or Path
        The rows: CSV, TSV or JSON lines, plain or ``.gz``; with ``shiplap[lab]`` whatever `read` takes.
    out : str or Path
        Where the answers go; CSV, TSV or JSON lines, plain or ``.gz``; with ``shiplap[lab]`` Parquet too. Columns:
        those of `keep`; ``prediction``; ``probability`` of the positive class, or ``probability_<class>`` for each
        of more than two; ``decision``.
    keep : iterable of str
        Columns of the source that are carried over.
    on_error : {"stop", "fallback"}
        What a row that cannot be read does: end with its error, or get the policy's fallback as its decision and no
        prediction.
    batch_rows : int
        Rows that are held at a time.

    Returns
    -------
    Report
        Metrics `n_rows`, `n_refused`, `seconds`, `rows_per_s`; for a binary task `n_acted`.

    Raises
    ------
    RowError
        A row cannot be read; names the row (from 1) and the column.
    InputError
        The source is missing, empty or lacks a column, or `out` cannot be written.
    MissingExtraError
        A format needs a library that is not installed.
    """
    scorer = ship if isinstance(ship, Scorer) else Scorer(ship) if isinstance(ship, Ship) else load(ship)
    target, kept = Path(out), tuple(dict.fromkeys(keep))
    work = _Work(scorer, kept, on_error)
    if _is_same(source, target):
        raise InputError(f"'{target}' would replace the rows themselves", hint="name another file with -o")
    started = time.perf_counter()
    batches = open_rows(source, scorer.encoder.columns, keep=kept, rows=batch_rows)
    with closing(batches), writing(target) as writer:
        for batch in batches:
            writer.write(work.answered(batch))
            tell("scoring rows", batch.done)
        if not work.n_rows:
            raise TableError(f"'{source}' holds no rows", hint="it needs at least one below the names")
        writer.close()
    return _report(work, source=str(source), out=target, seconds=time.perf_counter() - started)


def _is_same(source: str | Path, target: Path) -> bool:
    try:
        return target.samefile(source)
    except OSError:  # one of the two is not there, or the source is a query
        return False


class _Work:
    """Answers batches and counts what passes by."""

    def __init__(self, scorer: Scorer, keep: tuple[str, ...], on_error: str) -> None:
        if batch_problem := [name for name in _names(scorer) if name in keep]:
            raise InputError(f"'{batch_problem[0]}' is a column of the answers and cannot be kept", hint="rename it")
        if on_error not in {"stop", "fallback"}:
            raise InputError(f"on_error is 'stop' or 'fallback', not '{on_error}'")
        if on_error == "fallback" and scorer.ship.policy.fallback is None:
            raise InputError("the ship's policy has no fallback for refused rows", hint="leave on_error at 'stop'")
        self.scorer = scorer
        self.keep = keep
        self.stops = on_error == "stop"
        self.n_rows = self.n_refused = self.n_acted = 0

    def answered(self, batch: Batch) -> dict[str, Sequence[Any]]:
        """Return the columns of the answers to a batch."""
        refused = np.zeros(batch.n_rows, dtype=bool)
        try:
            outputs = self.scorer.outputs({name: batch.columns[name] for name in self.scorer.encoder.columns})
        except RowError as error:
            if self.stops:
                raise self._placed(error) from None
            outputs, refused = self._readable(batch)
        answers = {name: batch.columns[name] for name in self.keep} | self._answers(outputs, refused)
        self.n_rows += batch.n_rows
        self.n_refused += int(refused.sum())
        return answers

    def _answers(self, outputs: NDArray[np.float64], refused: NDArray[np.bool_]) -> dict[str, Sequence[Any]]:
        policy, decider, names = self.scorer.ship.policy, self.scorer.decider, _names(self.scorer)
        if policy.task == "tensor":
            return self._refusing(dict(zip(names, outputs.T.tolist(), strict=True)), refused)
        decisions = decider.decisions(outputs)
        columns: dict[str, Sequence[Any]] = {"prediction": decider.labels(outputs).tolist()}
        if policy.task == "binary":
            columns[names[1]] = outputs[:, policy.positive].tolist()
            self.n_acted += int((decisions & ~refused).sum())
        elif policy.task == "multiclass":
            columns |= dict(zip(names[1:-1], outputs.T.tolist(), strict=True))
        columns["decision"] = decisions.tolist()
        return self._refusing(columns, refused)

    def _refusing(self, columns: dict[str, Sequence[Any]], refused: NDArray[np.bool_]) -> dict[str, Sequence[Any]]:
        if refused.any():
            for name, values in columns.items():
                instead = self.scorer.ship.policy.fallback if name == "decision" else None
                columns[name] = [instead if bad else value for value, bad in zip(values, refused, strict=True)]
        return columns

    def _readable(self, batch: Batch) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Answer the rows that can be read; one that cannot is NaN and marked."""
        encoder = self.scorer.encoder
        scratch = np.empty(encoder.width)
        refused = np.zeros(batch.n_rows, dtype=bool)
        for index, row in enumerate(zip(*(batch.columns[name] for name in encoder.columns), strict=True)):
            try:
                encoder.row(dict(zip(encoder.columns, row, strict=True)), scratch)
            except RowError:
                refused[index] = True
        outputs = np.full((batch.n_rows, self.scorer.runtime.n_outputs), np.nan)
        kept = np.flatnonzero(~refused).tolist()
        readable = {name: [batch.columns[name][index] for index in kept] for name in encoder.columns}
        outputs[kept] = self.scorer.outputs(readable)
        return outputs, refused

    def _placed(self, error: RowError) -> RowError:
        """Say which row of the whole source it was, from 1."""
        row = self.n_rows + error.row
        said = error.message.removeprefix(f"row {error.row}, ")
        return RowError(f"row {row + 1:,}, {said}", row=row, column=error.column, hint=error.hint)


def _names(scorer: Scorer) -> list[str]:
    policy, signature = scorer.ship.policy, scorer.signature
    if policy.task == "tensor":
        return list(signature.output_names)
    kind = "score" if signature.scores else "probability"
    several = [f"{kind}_{label}" for label in policy.classes] if policy.task == "multiclass" else []
    return ["prediction", *([kind] if policy.task == "binary" else several), "decision"]


def _report(work: _Work, *, source: str, out: Path, seconds: float) -> Report:
    metrics: dict[str, Metric] = {
        "n_rows": work.n_rows,
        "n_refused": work.n_refused,
        "seconds": seconds,
        "rows_per_s": work.n_rows / max(seconds, 1e-9),
        "ship": work.scorer.ship.id,
        "out": str(out),
    }
    if work.scorer.signature.task == "binary":
        metrics["n_acted"] = work.n_acted
    means = f"{work.n_rows:,} rows of '{source}' are answered in '{out}'"
    findings = [Finding(check="score.rows", verdict="good", means=means, value=work.n_rows)]
    if work.n_refused:
        findings.append(
            Finding(
                check="score.refused",
                verdict="warn",
                means=f"{work.n_refused:,} rows could not be read and got the fallback decision",
                todo="look at them: they have a decision and no prediction",
                value=work.n_refused,
            )
        )
    title = f"{work.scorer.ship.manifest.name} answers {work.n_rows:,} rows"
    return Report(verb="score", title=title, findings=tuple(findings), metrics=metrics)
