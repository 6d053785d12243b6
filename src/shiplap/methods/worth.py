"""What each decision would bring on each row, in money, from the values of the brief."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from shiplap.core.brief import Brief
from shiplap.core.errors import BriefError, nearest
from shiplap.core.finding import Finding
from shiplap.core.table import Table
from shiplap.methods.labels import Labels
from shiplap.methods.query import labelled, quoted

__all__ = ["amount_of", "matrix_of", "worth_of"]

_AMOUNT = re.compile(r"\s*(?:(?P<factor>[+-]?\s*\d*\.?\d+(?:[eE][+-]?\d+)?)\s*\*\s*)?(?P<sign>-?)\s*(?P<column>.+?)\s*")


def amount_of(text: str, columns: tuple[str, ...]) -> tuple[float, str]:
    """Read ``"amount"``, ``"-amount"`` or ``"-0.2 * amount"`` as a factor and a column.

    Raises
    ------
    BriefError
        There is no such column.

    Examples
    --------
    >>> amount_of("-0.2 * amount", ("amount", "age")), amount_of("-amount", ("amount",))
    ((-0.2, 'amount'), (-1.0, 'amount'))
    """
    if text in columns:
        return 1.0, text
    match = _AMOUNT.fullmatch(text)
    column = match["column"].strip('"') if match else text
    if match is None or column not in columns:
        raise BriefError(f"value '{text}' names no column", hint=nearest(column, columns))
    factor = float((match["factor"] or "1").replace(" ", ""))
    return (-factor if match["sign"] else factor), column


def matrix_of(matrix: dict[str, dict[str, float]], classes: tuple[object, ...]) -> npt.NDArray[np.float64]:
    """Lay out ``matrix[decided][actual]`` in the order of the classes; what is left out is worth 0.

    Returns
    -------
    numpy.ndarray of shape (n_classes, n_classes)

    Raises
    ------
    BriefError
        It names a class that does not exist.

    Examples
    --------
    >>> matrix_of({"a": {"a": 1.0, "b": -2.0}}, ("a", "b")).tolist()
    [[1.0, -2.0], [0.0, 0.0]]
    """
    names = [str(label) for label in classes]
    laid = np.zeros((len(names), len(names)))
    for decided, row in matrix.items():
        for actual, amount in row.items():
            for name in (decided, actual):
                if name not in names:
                    raise BriefError(f"value.matrix names '{name}', which is no class", hint=nearest(name, names))
            laid[names.index(decided), names.index(actual)] = amount
    return laid


def worth_of(
    table: Table, sql: str, brief: Brief, labels: Labels
) -> tuple[npt.NDArray[np.float64] | None, list[Finding]]:
    """Compute what each decision would bring on each row, given its label.

    Parameters
    ----------
    table : Table
        The rows, for amount columns.
    sql : str
        The target over the relation ``rows``.
    brief : Brief
        What outcomes are worth.
    labels : Labels
        The labels.

    Returns
    -------
    worth : numpy.ndarray of shape (n_rows, n_decisions) or None
        For a binary task and a ranking the decisions are no (column 0) and yes (column 1); for a multiclass task the
        classes. None without values, and for regression, where worth depends on the size of the error.
    findings : list of Finding
        Amounts that are missing.

    Raises
    ------
    BriefError
        A value names an unknown column or class, or does not fit the task.
    """
    value = brief.value
    if brief.task == "ranking":
        brought = labels.y - ((value.cost if value else None) or 0.0)
        return np.column_stack([np.zeros(len(brought)), brought]), []
    if value is None or labels.task == "regression":
        return None, []
    if labels.task == "multiclass" or value.matrix is not None:
        if value.matrix is None:
            raise BriefError(f"tp / fp / fn / tn fit a binary target, not one of {len(labels.classes)} classes")
        by_class = matrix_of(value.matrix, labels.classes)
        if labels.task == "binary":
            by_class = by_class[[1 - labels.positive, labels.positive]]
        return np.ascontiguousarray(by_class[:, labels.y].T), []
    findings: list[Finding] = []
    hit = labels.y == labels.positive
    outcomes = {name: _amounts(table, sql, getattr(value, name), labels, findings) for name in ("tp", "fp", "fn", "tn")}
    yes = np.where(hit, outcomes["tp"], outcomes["fp"])
    no = np.where(hit, outcomes["fn"], outcomes["tn"])
    return np.column_stack([no, yes]).astype(np.float64), findings


def _amounts(
    table: Table, sql: str, given: float | str | None, labels: Labels, findings: list[Finding]
) -> npt.NDArray[np.float64]:
    if not isinstance(given, str):
        return np.full(len(labels.y), float(given or 0.0))
    factor, name = amount_of(given, table.schema.names)
    if table.schema[name].kind not in ("number", "constant", "boolean"):
        raise BriefError(f"value '{given}' needs a column of numbers; '{name}' is {table.schema[name].kind}")
    query = labelled(f"TRY_CAST({quoted(name)} AS DOUBLE) AS amount", sql)
    amount = table.frame.pandas(query)["amount"].to_numpy(dtype=np.float64)[labels.kept]
    missing = ~np.isfinite(amount)
    if missing.any():
        findings.append(
            Finding(
                check="value.missing_amount",
                verdict="warn",
                means=f"{int(missing.sum()):,} rows have no '{name}': they count as worth 0",
                todo="fill the column, or leave those rows out",
                columns=(name,),
                value=int(missing.sum()),
            )
        )
    return factor * np.where(missing, 0.0, amount)
