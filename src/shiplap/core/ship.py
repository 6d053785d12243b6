"""`Ship`: the sealed package."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from shiplap.core.certificate import Certificate
from shiplap.core.encoding import Encoding
from shiplap.core.errors import ShipError
from shiplap.core.policy import Policy
from shiplap.core.registry import Registry
from shiplap.core.signature import Signature

__all__ = ["FORMAT", "SEALED", "WEIGHTS", "WRITTEN_BY", "Manifest", "Ship"]

WRITTEN_BY = "written by scikit-learn"
"""Name in the lineage of the version of scikit-learn that wrote a model file, where another one read it."""

FORMAT = 1
SEALED = ("encode.json", "graph.onnx", "policy.json")
WEIGHTS = "graph.data"
"""A fourth sealed part, where the graph's constants are too many for one message."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first member of a ship file.

    Parameters
    ----------
    format : int
        Number of the file format.
    id : str
        Ship id: SHA-256 over the digests of the three sealed parts.
    name : str
        Short name.
    made_by : str
        Program and version that sealed it.
    signature : Signature
        Inputs, task, classes.
    lineage : dict of str to str
        Digests of what it was made from: table, brief, code, git commit; under `WRITTEN_BY` a version.
    parts : dict of str to str
        SHA-256 of every other member by its path.
    """

    format: int
    id: str
    name: str
    made_by: str
    signature: Signature
    lineage: dict[str, str] = {}
    parts: dict[str, str]


@dataclass(frozen=True, eq=False)
class Ship:
    """A ship file that was read and audited.

    Parameters
    ----------
    path : Path
        The file.
    manifest : Manifest
        Names and digests.
    encoding : Encoding
        How a row becomes numbers.
    graph : bytes
        ONNX model: double matrix ``(n_rows, encoding.width)`` in, double ``(n_rows, n_outputs)`` out.
    policy : Policy
        From output to label and decision.
    evidence : dict of str to bytes
        Attached members by path below ``evidence/``.
    weights : bytes or memoryview
        Constants of the graph that lie outside of it; empty where there are none.
    """

    path: Path
    manifest: Manifest
    encoding: Encoding
    graph: bytes = field(repr=False)
    policy: Policy
    evidence: dict[str, bytes] = field(repr=False, default_factory=dict)
    weights: bytes | memoryview = field(repr=False, default=b"")

    @property
    def id(self) -> str:
        """The ship id, 64 hexadecimal digits."""
        return self.manifest.id

    @property
    def signature(self) -> Signature:
        """Inputs, task and classes."""
        return self.manifest.signature

    @property
    def certificate(self) -> Certificate:
        """The parity certificate.

        Raises
        ------
        ShipError
            The ship carries none, or one that speaks of another ship.
        """
        if "parity.json" not in self.evidence:
            raise ShipError(f"'{self.path}' carries no parity certificate", hint="pack it again from the model")
        try:
            certificate = msgspec.json.decode(self.evidence["parity.json"], type=Certificate)
        except msgspec.DecodeError as error:
            raise ShipError(f"the parity certificate in '{self.path}' cannot be read: {error}") from error
        if certificate.ship != self.id:
            raise ShipError(f"the parity certificate in '{self.path}' speaks of another ship: {certificate.ship[:12]}")
        return certificate

    @property
    def sealed_bytes(self) -> int:
        """Size of the sealed part in bytes."""
        return (
            len(self.graph)
            + len(self.weights)
            + len(msgspec.json.encode(self.encoding))
            + len(msgspec.json.encode(self.policy))
        )

    def __repr__(self) -> str:
        return f"Ship({self.manifest.name!r}, {self.id[:12]}, {self.path})"

    def _repr_html_(self) -> str:
        """Show in a notebook what the ship takes and answers, and how it was proven."""
        report = reporters.get("ship")(self)
        html: str = report._repr_html_()
        return html


reporters: Registry[Any] = Registry("reporter", group="shiplap.reporters")
"""Functions that say in a report what a noun is; imported when a noun is shown."""
reporters.add_lazy("ship", "shiplap.scoring:show", extra="")
