"""`Run`: one execution of a verb, written down once."""

from __future__ import annotations

import msgspec

__all__ = ["Run"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What ran, on what, with what, and how it ended.

    Parameters
    ----------
    id : str
        Identifier, unique in the store.
    verb : str
        What ran.
    inputs : dict of str to str
        Digest of each input.
    parameters : dict of str to JSON value
        What the verb was told.
    seed : int
        Seed of every random choice.
    outputs : dict of str to str
        Digest of each output.
    environment : dict of str to str
        Versions of Python, the platform and the libraries that matter.
    commit : str
        Git commit of the folder it ran in; empty outside one; ends in ``+`` when there were changes.
    started : str
        UTC time, ISO 8601.
    seconds : float
        Wall time.
    outcome : {"running", "done", "failed", "killed"}
        How it ended.
    """

    id: str
    verb: str
    inputs: dict[str, str] = {}
    parameters: dict[str, object] = {}
    seed: int = 0
    outputs: dict[str, str] = {}
    environment: dict[str, str] = {}
    commit: str = ""
    started: str = ""
    seconds: float = 0.0
    outcome: str = "done"
