"""One way to write down a suspicion."""

from __future__ import annotations

from shiplap.core.finding import Finding, Grade

__all__ = ["failed_columns", "gravest_first", "suspect"]

_ORDER = ("fail", "warn", "note", "good")


def suspect(
    check: str,
    verdict: Grade,
    name: str,
    means: str,
    *,
    todo: str = "",
    value: float | None = None,
    limit: float | None = None,
) -> Finding:
    """Write down a suspicion against one column, with the cure.

    Parameters
    ----------
    check : str
        Name of the test, beginning with ``leak.``.
    verdict : {"fail", "warn", "note", "good"}
        How sure it is.
    name : str
        The column.
    means : str
        The evidence in a sentence.
    todo : str
        The cure; by default to drop the column or to say that it is known in time.
    value, limit : float, optional
        The figure and what it was held against.

    Examples
    --------
    >>> suspect("leak.copy", "warn", "total", "it is the target").todo
    'ask when \\'total\\' is filled in, and say so: columns.total.known_at = "decision" or "later"'
    """
    if not todo:
        settle = f'columns.{name}.known_at = "decision"'
        todo = f"drop=['{name}']; if it is known when the decision is made, say {settle}"
        if verdict != "fail":
            todo = f"ask when '{name}' is filled in, and say so: {settle} or \"later\""
    return Finding(check=check, verdict=verdict, means=means, todo=todo, columns=(name,), value=value, limit=limit)


def gravest_first(found: list[Finding]) -> list[Finding]:
    """Order findings by how grave they are; of two that say the same of a column the first is kept."""
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in found:
        kept.setdefault((finding.check, finding.columns, finding.verdict), finding)
    return sorted(kept.values(), key=lambda finding: _ORDER.index(finding.verdict))


def failed_columns(findings: tuple[Finding, ...] | list[Finding]) -> set[str]:
    """Name the columns of failed leak tests."""
    return {
        column
        for finding in findings
        if finding.check.startswith("leak.") and finding.verdict == "fail"
        for column in finding.columns
    }
