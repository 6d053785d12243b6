"""The verbs by name, imported when called: a run that is answered from the store loads no training library."""

from __future__ import annotations

from typing import Any

from shiplap.core.registry import Registry
from shiplap.core.report import Report
from shiplap.core.table import Table
from shiplap.engineer.flow.project import Project, locate

__all__ = ["read_rows", "verb", "verbs"]

verbs: Registry[Any] = Registry("verb", group="shiplap.verbs")
"""Functions by name; the rooms they live in are not imported before they are called."""
verbs.add_lazy("explore", "shiplap.scientist.explore:explore", extra="lab")
verbs.add_lazy("assess", "shiplap.scientist.assess:assess", extra="lab")
verbs.add_lazy("train", "shiplap.scientist.train:train", extra="lab")
verbs.add_lazy("present", "shiplap.scientist.present:present", extra="lab")
verbs.add_lazy("model_card", "shiplap.scientist.present:model_card", extra="lab")
verbs.add_lazy("pack", "shiplap.engineer.deploy:pack", extra="lab")
verbs.add_lazy("export", "shiplap.engineer.deploy:export", extra="lab")
verbs.add_lazy("bench", "shiplap.engineer.bench:bench", extra="lab")
verbs.add_lazy("read", "shiplap.adapters.frames:read", extra="lab")
verbs.add_lazy("read_arrays", "shiplap.adapters.frames:read_arrays", extra="lab")
verbs.add_lazy("fingerprint", "shiplap.adapters.frames:fingerprint", extra="lab")
verbs.add_lazy("dump_model", "shiplap.adapters.frameworks.modelfile:dump_model", extra="lab")
verbs.add_lazy("load_model", "shiplap.adapters.frameworks.modelfile:load_model", extra="lab")
verbs.add_lazy("certificate_report", "shiplap.proof:certificate_report", extra="lab")


def verb(name: str, source: Any = None, *others: Any, **question: Any) -> Report:
    """Call one verb on rows from anywhere; what the command line does.

    Parameters
    ----------
    name : str
        ``explore`` or ``assess``.
    source : path, str or table-like, optional
        Rows, or a folder with ``shiplap.toml`` (the working folder when left out).
    *others : path, str or table-like
        Further rows, where the verb takes more than one table.
    **question
        Fields of a `Brief`.

    Returns
    -------
    Report
    """
    project = locate(source, **question)
    cap = project.brief.budget.table_mb
    further = [verbs.get("read")(other, columns=project.columns, memory_mb=cap) for other in others]
    rows = [read_rows(project), *further]
    report: Report = verbs.get(name)(*rows, brief=project.brief)
    return report


def read_rows(project: Project, **options: Any) -> Table:
    """Read the rows of a project, with what its brief says of single columns."""
    table: Table = verbs.get("read")(
        project.source,
        name=project.brief.name,
        columns=project.columns,
        base=project.folder,
        memory_mb=project.brief.budget.table_mb,
        **options,
    )
    return table
