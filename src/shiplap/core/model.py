"""`Model`: something that predicts, with its signature and the framework it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shiplap.core.policy import Policy
from shiplap.core.report import Report
from shiplap.core.schema import Schema
from shiplap.core.signature import Signature

__all__ = ["Model"]


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model and what it was trained for.

    Parameters
    ----------
    pipeline : scikit-learn estimator
        The model itself, preprocessing included; a plain ``Pipeline`` when `train` made it. It takes a pandas
        ``DataFrame`` with the columns of `schema`: numbers and booleans as float64 (NaN missing), categories and text
        as str (None missing), dates as datetime64; ``sl.read(rows).frame.pandas("FROM rows")`` gives such a frame of
        any rows. A ship packed from it takes rows as clients send them.
    framework : str
        Name of the frameworks adapter that lowers it.
    signature : Signature
        Inputs, task and classes.
    schema : Schema
        The input columns as the table had them, markers included.
    policy : Policy
        What is decided on its output.
    name : str
        Short name.
    report : Report
        What training found.
    lineage : dict of str to str
        Digests of what it was made from.
    """

    pipeline: Any
    framework: str
    signature: Signature
    schema: Schema
    policy: Policy
    name: str
    report: Report
    lineage: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Model({self.name!r}, {self.signature.task}, {len(self.signature.inputs)} inputs, {self.framework})"
