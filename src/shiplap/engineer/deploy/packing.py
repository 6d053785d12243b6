"""`pack`: a trained model becomes a ship file, with the proof that it answers as the original does."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shiplap.adapters.frameworks import Ask
from shiplap.core.certificate import Certificate
from shiplap.core.errors import DoesNotHoldError, InputError, nearest
from shiplap.core.model import Model
from shiplap.core.policy import Policy
from shiplap.core.progress import tell
from shiplap.core.ship import Ship
from shiplap.engineer.deploy.sbom import bill_of_materials
from shiplap.proof import certificate_report, certify, lower
from shiplap.scoring import Scorer, write_ship

__all__ = ["certificate_report", "pack"]


def pack(
    model: Any,
    X: Any = None,
    *,
    path: str | Path,
    name: str = "",
    policy: Policy | None = None,
    lineage: Mapping[str, str] | None = None,
    framework: str = "",
    **asked: Any,
) -> Ship:
    """Lower a model to encoder and graph, prove that they answer as it does, and seal them in a ship file.

    Parameters
    ----------
    model : Model, estimator, network or function
        What `train` returned, or any trained model of a known framework.
    X : Table, DataFrame, array, or dict of columns
        Rows the model can answer: the answers are compared on them, and on rows built from them to break the model.
    path : str or Path
        The ship file to write.
    name : str
        Short name; the model's own, or the file's.
    policy : Policy, optional
        What to decide; the model's own for a `Model`, the most probable class for an estimator.
    lineage : mapping of str to str, optional
        Digests of what it was made from, added to the model's own.
    framework : str
        Name of the model's framework, where its class does not tell: of a JAX function, say.
    **asked
        What the model leaves open: `method` of an estimator that answers (``decision_function``, ``transform`` ...),
        `classes` of a network's outputs, `preprocess`, a function of tensors that its inputs pass through first.

    Returns
    -------
    Ship
        Read back from the file; ``ship.certificate.flips == 0``.

    Raises
    ------
    RefusedError
        A step of the model cannot be lowered exactly; the message has its path, the reason, and what can.
    DoesNotHoldError
        Answers differ by more than rounding. Nothing is written.
    InputError
        The rows lack a column, or the file cannot be written.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ship = pack(DecisionTreeClassifier().fit(X, [0, 0, 1, 1]), X, path=f"{folder}/tiny.ship")
    >>> ship.certificate.flips
    0
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"there is no folder '{target.parent}' to write the ship file to", hint="make it first")
    tell("lowering the model", None)
    subject = lower(model, X, policy=policy, ask=_asked(asked), framework=framework)
    parts: dict[str, Any] = {
        "name": name or (model.name if isinstance(model, Model) else "") or target.stem,
        "signature": subject.signature,
        "encoding": subject.lowered.encoding,
        "graph": subject.lowered.graph,
        "policy": subject.policy,
        "lineage": {**(model.lineage if isinstance(model, Model) else {}), **(lineage or {})},
    }
    with tempfile.TemporaryDirectory() as scratch:
        draft = write_ship(Path(scratch) / "draft.ship", **parts)
        certificate = certify(subject, Scorer(draft))
    if certificate.flips:
        raise _broken(certificate)
    evidence = {"parity.json": msgspec.json.encode(certificate), "sbom.json": bill_of_materials(parts["name"])}
    return write_ship(target, **parts, evidence=evidence)


def _asked(asked: Mapping[str, Any]) -> Ask:
    known = Ask.__dataclass_fields__
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise InputError(f"pack knows no option '{unknown[0]}'", hint=nearest(unknown[0], known))
    return Ask(**{**asked, "classes": tuple(asked.get("classes", ()))})


def _broken(certificate: Certificate) -> DoesNotHoldError:
    first = certificate.failures[0] if certificate.failures else None
    where = f"; the first, of kind '{first.kind}', parts at: {first.node}" if first else ""
    return DoesNotHoldError(
        f"{certificate.flips:,} of {certificate.rows:,} rows get another answer than the original gives{where}",
        hint="nothing was written; please report the model's type",
    )
