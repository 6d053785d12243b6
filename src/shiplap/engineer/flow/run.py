"""`run`: the main job. Explore, assess, train, pack, bench, present."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from shiplap.core.atomic import replacing
from shiplap.core.brief import Brief
from shiplap.core.environment import git_commit
from shiplap.core.finding import Finding
from shiplap.core.model import Model
from shiplap.core.report import Report
from shiplap.core.store import Store, open_store
from shiplap.core.table import Table
from shiplap.engineer.flow.files import check_folder
from shiplap.engineer.flow.project import Project, locate
from shiplap.engineer.flow.steps import Outcome, Steps
from shiplap.engineer.flow.verbs import read_rows, verbs

__all__ = ["run"]

_NEARLY_PERFECT = 0.99


def run(source: Any = None, *, brief: Brief | None = None, out: str | Path | None = None, **question: Any) -> Report:
    """Take a table and a question; leave a proven ship file and a report page.

    Runs `explore`, `assess`, `train`, `pack`, `bench` and `present`. Each step is answered from the store
    (``.shiplap/`` in the project, or in the working folder) when it was done before on the same input, so that a run
    that was stopped goes on with its first unfinished step. Columns that `explore` finds to be leaks are left out of
    the model and named in the report; ``keep`` overrides.

    Parameters
    ----------
    source : path, str or table-like, optional
        Rows (file, glob, SQL query over files, DataFrame, Arrow), or a folder with ``shiplap.toml``; the working
        folder when left out.
    brief : Brief, optional
        The question; `question` is merged over it.
    out : path, optional
        Folder for ``NAME.ship`` and the page; the project, or the working folder, when left out.
    **question
        Fields of a `Brief`: ``target=``, ``value=``, ``budget=``, ``time=`` ...

    Returns
    -------
    Report
        With the reports of the steps as `parts`; `holds` is False for a no-go or a missed budget.

    Raises
    ------
    InputError
        The rows or the question cannot be used.
    DoesNotHoldError
        The ship would answer differently from the model.

    Examples
    --------
    >>> import os, tempfile
    >>> from sklearn.datasets import load_breast_cancer
    >>> rows = load_breast_cancer(as_frame=True).frame
    >>> os.chdir(tempfile.mkdtemp())
    >>> report = run(rows, target="target", name="tumor", budget={"train_seconds": 5})
    >>> report.verdict, report.part("pack").metrics["flips"]
    ('go', 0)
    """
    project = locate(source, brief=brief, **question)
    folder = Path(out) if out is not None else project.folder
    if out is not None and not folder.exists():
        folder.mkdir(parents=True)
    check_folder(folder)
    with open_store(project.folder) as store:
        return _Chain(project, store).run(folder)


class _Chain:
    """The steps of one run, in order; every one reads what the ones before it left."""

    def __init__(self, project: Project, store: Store) -> None:
        self.project = project
        self.store = store
        self.steps = Steps(store)
        self.rows_digest = verbs.get("fingerprint")(
            project.source, columns=project.columns, base=project.folder, digest_file=store.digest_file
        )

    @cached_property
    def table(self) -> Table:
        """The rows; read only if a step must be computed."""
        return read_rows(self.project, digest_file=self.store.digest_file)

    def run(self, folder: Path) -> Report:
        brief = self.project.brief
        rows = {"table": self.rows_digest}
        explored = self.steps.do("explore", rows, brief, self._reporting("explore", brief))
        held_back, said = _quarantine(explored.report, brief)
        brief = brief.replaced(drop=(*brief.drop, *held_back)) if held_back else brief
        assessed = self.steps.do("assess", rows, brief, self._reporting("assess", brief, explored=explored.report))
        trained = self.steps.do("train", rows, brief, lambda: self._train(brief))
        packed = self.steps.do("pack", {**rows, **trained.objects}, brief, lambda: self._pack(brief, trained))
        benched = self.steps.do("bench", {**rows, **packed.objects}, brief, lambda: self._bench(brief, trained, packed))
        report = _summary([explored, assessed, trained, packed, benched], said, brief)
        inputs = {"report": hashlib.sha256(report.to_json()).hexdigest(), **benched.objects}
        shown = self.steps.do("present", inputs, brief, lambda: self._present(report, benched))
        _place(self.store.path(shown.objects["ship"]), folder / self.project.ship)
        _place(self.store.path(shown.objects["page"]), folder / self.project.page)
        return _placed(report, folder / self.project.ship, folder / self.project.page)

    def _reporting(self, verb: str, brief: Brief, **more: Any) -> Callable[[], Outcome]:
        return lambda: Outcome(report=verbs.get(verb)(self.table, brief=brief, **more))

    def _train(self, brief: Brief) -> Outcome:
        model: Model = verbs.get("train")(self.table, brief=brief)
        return Outcome(report=model.report, objects={"model": self.store.put(verbs.get("dump_model")(model))})

    def _pack(self, brief: Brief, trained: Outcome) -> Outcome:
        model: Model = verbs.get("load_model")(self.store.get(trained.objects["model"]))
        lineage = {
            "table": self.rows_digest,
            "brief": hashlib.sha256(msgspec.json.encode(brief)).hexdigest(),
            "model": trained.objects["model"],
            "commit": git_commit(self.project.folder),
        }
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / self.project.ship
            ship = verbs.get("pack")(model, self.table, path=path, name=brief.name, lineage=lineage)
            return Outcome(report=verbs.get("certificate_report")(ship), objects={"ship": self.store.put_file(path)})

    def _bench(self, brief: Brief, trained: Outcome, packed: Outcome) -> Outcome:
        model: Model = verbs.get("load_model")(self.store.get(trained.objects["model"]))
        with tempfile.TemporaryDirectory() as scratch:
            path = self._ship_copy(packed, Path(scratch))
            report = verbs.get("bench")(path, self.table, original=model, budget=brief.budget)
            return Outcome(report=report, objects={"ship": self.store.put_file(path)})

    def _present(self, report: Report, benched: Outcome) -> Outcome:
        from shiplap.scoring import attach  # noqa: PLC0415  (loads onnxruntime: not on the way of a run from memory)

        with tempfile.TemporaryDirectory() as scratch:
            ship = self._ship_copy(benched, Path(scratch))
            page = Path(scratch) / self.project.page
            verbs.get("present")(report, path=page)
            card = verbs.get("model_card")(report)
            attach(ship, {"card.md": card.encode()})
            return Outcome(
                report=Report(verb="present", title="Report page"),
                objects={"page": self.store.put_file(page), "ship": self.store.put_file(ship)},
            )

    def _ship_copy(self, outcome: Outcome, folder: Path) -> Path:
        path = folder / self.project.ship
        shutil.copyfile(self.store.path(outcome.objects["ship"]), path)
        return path


def _quarantine(explored: Report, brief: Brief) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """Name the columns of failed leak tests, less those the brief keeps, and say so."""
    suspects = dict.fromkeys(
        column
        for finding in explored.findings
        if finding.check.startswith("leak.") and finding.verdict == "fail"
        for column in finding.columns
    )
    held_back = tuple(column for column in suspects if column not in (*brief.keep, *brief.drop))
    kept = tuple(column for column in suspects if column in brief.keep)
    findings = []
    if held_back:
        findings.append(
            Finding(
                check="run.quarantine",
                verdict="warn",
                columns=held_back,
                means=f"Left out as leaks: {', '.join(held_back)}. Each knows the answer, or is known only after it.",
                todo="If one is known when the decision is made, say so in the brief (known_at), or --keep it.",
            )
        )
    if kept:
        findings.append(
            Finding(
                check="run.kept",
                verdict="warn",
                columns=kept,
                means=f"Used on request in spite of failed leak tests: {', '.join(kept)}.",
            )
        )
    return held_back, tuple(findings)


def _summary(outcomes: list[Outcome], said: tuple[Finding, ...], brief: Brief) -> Report:
    parts = tuple(outcome.report for outcome in outcomes)
    assessed = parts[1]
    return Report(
        verb="run",
        title=(brief.decision and f"{brief.name}: {brief.decision}?") or brief.name,
        verdict=assessed.verdict,
        holds=all(part.holds for part in parts),
        findings=(*said, *(_still_perfect(parts[2]) if said else ())),
        metrics={"name": brief.name, "target": brief.target},
        parts=parts,
    )


def _still_perfect(trained: Report) -> tuple[Finding, ...]:
    """Warn where leaks were found and the model is nearly perfect without them: one may be left."""
    auc = trained.metrics.get("test_auc", trained.metrics.get("test_mean_auc"))
    if not isinstance(auc, float) or auc < _NEARLY_PERFECT:
        return ()
    means = f"Leaks were found, and without them the model is still nearly perfect (AUC {auc:.3f}): one may be left."
    todo = "Look at what drives it: is that known when the decision is made? If not, drop it or say known_at."
    return (
        Finding(check="run.still_perfect", verdict="warn", means=means, todo=todo, value=auc, limit=_NEARLY_PERFECT),
    )


def _placed(report: Report, ship: Path, page: Path) -> Report:
    return msgspec.structs.replace(report, metrics={**report.metrics, "ship": str(ship), "page": str(page)})


def _place(source: Path, target: Path) -> None:
    with replacing(target) as part:
        shutil.copyfile(source, part)
