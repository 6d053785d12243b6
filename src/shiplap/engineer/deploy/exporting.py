"""`export`: a ship as one plain ONNX file with named inputs, proven to answer as the ship does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.adapters.exports import PlainModel, compose
from shiplap.core.atomic import replacing
from shiplap.core.errors import DoesNotHoldError, InputError, RefusedError
from shiplap.core.finding import Finding
from shiplap.core.progress import tell
from shiplap.core.report import DataTable, Report
from shiplap.core.ship import Ship
from shiplap.engineer.deploy.exportplan import plan_of
from shiplap.engineer.deploy.exportrows import Rows, built, kept
from shiplap.scoring import Scorer, distances, read_ship

__all__ = ["export"]

_BUILT, _SINGLE = 2_000, 32
_BAND = 1e-12


@dataclass
class _Tally:
    rows: int = 0
    flips: int = 0
    ties: int = 0
    largest: float = 0.0


def export(ship: Ship | str | Path, path: str | Path, *, seed: int = 0) -> Report:
    """Write a ship as one plain ONNX model, which any program with ONNX Runtime alone can ask.

    Its inputs are the ship's columns: doubles, booleans, texts, and dates as microseconds, each of shape (n, 1). Its
    outputs are ``prediction``, ``probabilities`` (or ``scores``) and ``decision``. The model's documentation says how
    a missing value is sent.

    Parameters
    ----------
    ship : Ship or path
        The ship.
    path : str or Path
        The ONNX file to write.
    seed : int
        Seed of the rows that are built to compare the two.

    Returns
    -------
    Report
        Verdict ``holds``; metrics `rows`, `flips`, `ties`, `largest_difference`, `size_bytes`; a table of the inputs.

    Raises
    ------
    RefusedError
        A column is read in a way that ONNX cannot express.
    DoesNotHoldError
        The plain model answers some row otherwise than the ship. Nothing is written.
    InputError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from shiplap.engineer.deploy import pack
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ship = pack(DecisionTreeClassifier().fit(X, [0, 0, 1, 1]), X, path=f"{folder}/tiny.ship")
    ...     export(ship, f"{folder}/tiny.onnx").metrics["flips"]
    0
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"there is no folder '{target.parent}' to write the model to", hint="make it first")
    source = ship if isinstance(ship, Ship) else read_ship(ship)
    if source.weights:
        raise RefusedError(
            f"the weights of '{source.manifest.name}' are more than one ONNX file holds",
            hint="serve the ship itself",
        )
    plan = plan_of(source)
    tell("putting encoder and graph together", None)
    content = compose(source.graph, plan)
    tell("comparing it with the ship", None)
    comparison = _Comparison(Scorer(source), PlainModel(content))
    own = kept(source, plan)
    for rows in ([own] if own else []) + list(built(source, plan, _BUILT, np.random.default_rng(seed))):
        comparison.add(rows)
    tally = comparison.tally
    if tally.flips:
        raise DoesNotHoldError(
            f"the ONNX form answers {tally.flips:,} of {tally.rows:,} rows otherwise than the ship",
            hint="nothing was written; please report the ship's operations",
        )
    with replacing(target) as part:
        part.write_bytes(content)
    return _report(source, target, tally, content, [(one.name, one.type, one.note) for one in plan.ports])


class _Comparison:
    """Asks a ship and its plain form the same rows, and counts."""

    def __init__(self, scorer: Scorer, plain: PlainModel) -> None:
        self.scorer, self.plain = scorer, plain
        self.tally = _Tally()
        ship = scorer.ship
        certified = "parity.json" in ship.evidence
        self.band, self.scale = (ship.certificate.band, ship.certificate.scale) if certified else (_BAND, 1.0)

    def add(self, rows: Rows) -> None:
        """Compare the rows at once, and where they are of all columns the first few one by one."""
        self._count(rows.columns, rows.feeds)
        for row in range(min(_SINGLE, len(rows)) if rows.kind != "one column" else 0):
            here = slice(row, row + 1)
            self._count(
                {name: values[here] for name, values in rows.columns.items()},
                {name: values[here] for name, values in rows.feeds.items()},
            )

    def _count(self, columns: dict[str, list[Any]], feeds: dict[str, NDArray[Any]]) -> None:
        """Count answers that lie apart, and labels and decisions that differ although the numbers are the same."""
        expected, found = self.scorer.outputs(columns), self.plain.answers(feeds)
        decider, task = self.scorer.decider, self.scorer.signature.task
        numbers = found[0] if task in {"regression", "tensor"} else found[1]
        apart = distances(expected, numbers.reshape(expected.shape), self.scale)
        differ = np.zeros(len(expected), bool)
        with np.errstate(all="ignore"):  # of infinite numbers, among others
            if task in {"binary", "multiclass"}:
                differ = (decider.labels(expected) != found[0]) | (decider.decisions(expected) != found[2])
            elif task == "regression":
                differ = distances(decider.decisions(expected)[:, None], found[1][:, None], self.scale) > apart
        self.tally.rows += len(expected)
        self.tally.flips += int((~(apart <= self.band) | (differ & (apart == 0))).sum())
        self.tally.ties += int((differ & (apart > 0) & (apart <= self.band)).sum())
        self.tally.largest = max(self.tally.largest, float(apart.max(initial=0.0)))


def _report(ship: Ship, path: Path, tally: _Tally, content: bytes, ports: list[tuple[str, str, str]]) -> Report:
    means = f"{tally.rows:,} rows are answered as the ship answers them, the largest difference is {tally.largest:.3g}"
    return Report(
        verb="export",
        title=f"{ship.manifest.name} ({ship.id[:12]}) as one ONNX file",
        verdict="holds",
        holds=True,
        findings=(Finding(check="export.parity", verdict="good", means=means, value=tally.largest),),
        metrics={
            "ship": ship.id,
            "rows": tally.rows,
            "flips": tally.flips,
            "ties": tally.ties,
            "largest_difference": tally.largest,
            "size_bytes": len(content),
            "path": str(path),
        },
        tables=(DataTable(name="inputs", title="Inputs", columns=("name", "type", "values"), rows=tuple(ports)),),
    )
