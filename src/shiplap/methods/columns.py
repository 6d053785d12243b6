"""Which columns may speak: everything but the target's own, identifiers, constants, free text and what comes later."""

from __future__ import annotations

from shiplap.core.brief import Brief
from shiplap.core.errors import TableError
from shiplap.core.finding import Finding
from shiplap.core.schema import Column, Schema

__all__ = ["chosen_columns", "known_at"]


def known_at(column: Column, brief: Brief) -> str | None:
    """Return what the brief says of when a column is known: ``decision``, ``later`` or None.

    Examples
    --------
    >>> known_at(Column(name="a", kind="number", dtype="DOUBLE", known_at="later"), Brief())
    'later'
    """
    stated = brief.columns.get(column.name)
    return (stated.known_at if stated else None) or column.known_at


def chosen_columns(schema: Schema, brief: Brief, target: tuple[str, ...]) -> tuple[Schema, list[Finding]]:
    """Choose the feature columns and say why others are left out.

    Parameters
    ----------
    schema : Schema
        All columns.
    brief : Brief
        Stated ids, private and dropped columns, and what is known when.
    target : tuple of str
        Columns the target is made from.

    Returns
    -------
    schema : Schema
        The features, in order.
    findings : list of Finding
        One note a column that is left out.

    Raises
    ------
    TableError
        A named column does not exist, or none is left.

    Examples
    --------
    >>> columns = (Column(name="age", kind="number", dtype="BIGINT"), Column(name="who", kind="id", dtype="VARCHAR"))
    >>> chosen, findings = chosen_columns(Schema(columns), Brief(), ())
    >>> chosen.names, findings[0].check
    (('age',), 'column.left_out')
    """
    for name in (*brief.drop, *brief.keep, *brief.id, *brief.private, *brief.columns):
        schema[name]
    chosen, findings = [], []
    for column in schema:
        reason = _reason(column, brief, target)
        if not reason:
            chosen.append(column)
        elif column.name not in target:
            findings.append(_left_out(column, reason))
    if not chosen:
        reasons = sorted({finding.means for finding in findings})
        more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
        hint = 'a short text can be used with kind = "category" in the brief'
        raise TableError(f"no column is left to predict from: {'; '.join(reasons[:3])}{more}", hint=hint)
    return Schema(tuple(chosen)), findings


def _reason(column: Column, brief: Brief, target: tuple[str, ...]) -> str:
    stated = brief.columns.get(column.name)
    unusable = {
        "the target is made from it": column.name in target,
        "the brief drops it": column.name in brief.drop,
        "it is private": column.private or column.name in brief.private or bool(stated and stated.private),
        "the brief says it is known only later": known_at(column, brief) == "later" and column.name not in brief.keep,
        "it names the group": column.name == brief.group,
        "it says when the label was known": column.name == brief.label_time,
        "it says what was done": column.name == brief.acted,
        "it identifies a row": column.name in brief.id or (column.kind == "id" and column.name not in brief.keep),
        "it holds no values, all are missing": column.kind == "constant" and column.n_distinct == 0,
        "it always has the same value": column.kind == "constant",
        "it is free text": column.kind == "text",
    }
    return next((reason for reason, holds in unusable.items() if holds), "")


def _left_out(column: Column, reason: str) -> Finding:
    return Finding(
        check="column.left_out",
        verdict="note",
        means=f"'{column.name}' is left out: {reason}",
        columns=(column.name,),
        value=column.kind,
    )
