"""`pack`: a trained model becomes a ship file, with the proof that it answers as the original does."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from shiplap.adapters.frameworks import Ask, Lowered, model_file, read_model, require_trust
from shiplap.adapters.frameworks.files import is_pickled
from shiplap.adapters.frameworks.sklearn.persist import noting_version
from shiplap.core.certificate import Certificate
from shiplap.core.errors import DoesNotHoldError, InputError, nearest
from shiplap.core.model import Model
from shiplap.core.policy import Policy
from shiplap.core.progress import tell
from shiplap.core.ship import WRITTEN_BY, Ship
from shiplap.engineer.deploy.sbom import bill_of_materials
from shiplap.engineer.deploy.trusted import digest_of, pack_confined
from shiplap.proof import certificate_report, certify, lower
from shiplap.scoring import Scorer, write_ship

__all__ = ["certificate_report", "pack"]


def pack(
    model: Any,
    X: Any = None,
    *,
    path: str | Path | None = None,
    name: str = "",
    policy: Policy | None = None,
    lineage: Mapping[str, str] | None = None,
    trust: bool = False,
    **asked: Any,
) -> Ship:
    """Lower a model to encoder and graph, prove that they answer as it does, and seal them in a ship file.

    Parameters
    ----------
    model : Model, estimator, network, function or path
        What `train` returned, any trained model of a known framework, or the file that holds one.
    X : Table, DataFrame, array, or dict of columns
        Rows the model can answer: the answers are compared on them, and on rows built from them to break the model.
    path : str or Path, optional
        The ship file to write; named after the model, in the working folder, when left out.
    name : str
        Short name; the model's own, or the file's.
    policy : Policy, optional
        What to decide; the model's own for a `Model`, the most probable class for an estimator.
    lineage : mapping of str to str, optional
        Digests of what it was made from, added to the model's own.
    trust : bool
        Read a file that runs code when it is read: in a child process without network that writes nothing outside.
    **asked
        What the model leaves open: `method` of an estimator that answers (``decision_function``, ``transform`` ...),
        `classes` of a network's outputs, `preprocess`, a function of tensors that its inputs pass through first,
        `framework` of a model whose class does not tell it, `private` columns no value of which may stand in the ship.

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
    target = _target(path or f"{name or _name_of(model)}.ship")
    if policy is not None and not isinstance(policy, Policy):
        raise InputError(
            f"policy needs to be a Policy, not a {type(policy).__name__}", hint="leave it out, or make one"
        )
    framework = str(asked.pop("framework", None) or "")
    ask = _asked(asked)
    file = model_file(Path(model)) if isinstance(model, str | Path) else None
    called = name or (model.name if isinstance(model, Model) else "") or target.stem
    if file is not None and require_trust(file, trust=trust):
        tell("packing in the sandbox", None)
        ship = pack_confined(file, X, ask=ask, framework=framework, policy=policy)
        return _resealed(ship, file, target, called, lineage=lineage or {})
    if file is not None:
        with noting_version() as versions:
            model = read_model(file)
        made = {"model": digest_of(file)} if file.is_file() else {}
        lineage = {**made, **({WRITTEN_BY: versions[0]} if versions else {}), **(lineage or {})}
    tell("lowering the model", None)
    subject = lower(model, X, policy=policy, ask=ask, framework=framework)
    parts: dict[str, Any] = {
        "name": called,
        "signature": subject.signature,
        "encoding": subject.lowered.encoding,
        "graph": _graph(subject.lowered),
        "policy": subject.policy,
        "lineage": {**(model.lineage if isinstance(model, Model) else {}), **(lineage or {})},
    }
    with tempfile.TemporaryDirectory() as scratch:
        draft = write_ship(Path(scratch) / "draft.ship", **parts)
        certificate = certify(subject, Scorer(draft))
    if certificate.flips:
        raise _broken(certificate)
    evidence = {"parity.json": msgspec.json.encode(certificate), "sbom.json": bill_of_materials(called)}
    return write_ship(target, **parts, evidence=evidence)


def _resealed(ship: Ship, file: Path, target: Path, name: str, *, lineage: Mapping[str, str]) -> Ship:
    kind = "pickle" if is_pickled(file) else "model"
    return write_ship(
        target,
        name=name,
        signature=ship.signature,
        encoding=ship.encoding,
        graph=_graph(ship),
        policy=ship.policy,
        lineage={**ship.manifest.lineage, kind: digest_of(file), **lineage},
        evidence={"parity.json": ship.evidence["parity.json"], "sbom.json": bill_of_materials(name)},
    )


def _target(path: Any) -> Path:
    """Refuse, before any work is done, a ship file that could not be written."""
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"path needs to be that of the ship file, not a {type(path).__name__}")
    target = Path(path)
    if target.is_dir():
        raise InputError(f"'{target}' is a folder; a file is to be written", hint="name a file in it")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder '{target.parent}' to write the ship file to", hint="make it first")
    if not os.access(target.parent, os.W_OK):
        raise InputError(f"the folder '{target.parent}' cannot be written", hint="choose another")
    return target


def _graph(source: Lowered | Ship) -> Any:
    """Return the graph, and its weights where they lie outside of it, as `write_ship` takes them."""
    return (source.graph, source.weights) if source.weights else source.graph


def _name_of(model: Any) -> str:
    if isinstance(model, str | Path):
        return Path(model).stem
    return model.name if isinstance(model, Model) and model.name else type(model).__name__.lower()


def _asked(asked: Mapping[str, Any]) -> Ask:
    known = Ask.__dataclass_fields__
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise InputError(f"pack knows no option '{unknown[0]}'", hint=nearest(unknown[0], known))
    given = {name: value for name, value in asked.items() if value is not None}
    if not isinstance(given.get("method", ""), str):
        raise InputError(f"method needs to be the name of one, not a {type(given['method']).__name__}")
    if isinstance(given.get("classes", ()), str) or not np.iterable(given.get("classes", ())):
        raise InputError(
            "classes need to be a list of labels", hint="classes=['no', 'yes'], in the order of the outputs"
        )
    if not callable(given.get("preprocess", abs)):
        raise InputError("preprocess needs to be a function of tensors", hint="leave it out where there is none")
    names = given.get("private", ())
    private = (names,) if isinstance(names, str) else tuple(names)
    return Ask(**{**given, "classes": tuple(given.get("classes", ())), "private": private})


def _broken(certificate: Certificate) -> DoesNotHoldError:
    first = certificate.failures[0] if certificate.failures else None
    where = f"; the first, of kind '{first.kind}', parts at: {first.node}" if first else ""
    return DoesNotHoldError(
        f"{certificate.flips:,} of {certificate.rows:,} rows get another answer than the original gives{where}",
        hint="nothing was written; try another setting of the step that is named, or keep such rows out before it",
    )
