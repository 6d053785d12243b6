"""One step of a run: computed once, written down, answered from the store ever after."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from shiplap.core.brief import Brief
from shiplap.core.environment import LIBRARIES, library_versions, machine_digest
from shiplap.core.progress import tell
from shiplap.core.report import Report
from shiplap.core.store import Step, Store, code_digest

__all__ = ["Outcome", "Steps"]

_PARTS_OF_BRIEF_THAT_DO_NOT_MATTER = {"explore": ("name", "value", "budget", "decision", "keep", "drop")}
_MACHINE_MATTERS = ("bench",)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a step leaves: its report, and the digests of the objects it made.

    Parameters
    ----------
    report : Report
        What it found.
    objects : dict of str to str
        Digest in the store by name (``model``, ``ship``, ``page``).
    """

    report: Report
    objects: dict[str, str] = {}


class Steps:
    """Runs steps through the memo of a store.

    Parameters
    ----------
    store : Store
        Where outcomes are kept.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._code = code_digest("shiplap")
        self._libraries = library_versions(*LIBRARIES)

    def do(self, verb: str, inputs: dict[str, str], brief: Brief, compute: Callable[[], Outcome]) -> Outcome:
        """Return the outcome of a step, computing it only if this was never done.

        Parameters
        ----------
        verb : str
            Name of the step.
        inputs : dict of str to str
            Digest of everything it reads.
        brief : Brief
            What it was asked.
        compute : callable
            Does the work.
        """
        parameters = msgspec.to_builtins(brief)
        for name in _PARTS_OF_BRIEF_THAT_DO_NOT_MATTER.get(verb, ()):
            parameters.pop(name)
        step = Step(
            verb=verb,
            inputs=inputs,
            parameters=parameters,
            seed=brief.seed,
            code=self._code,
            libraries=self._libraries,
            machine=machine_digest() if verb in _MACHINE_MATTERS else "",
        )
        tell(verb)
        encoded, _ = self.store.memo(step, lambda: self._computed(verb, inputs, brief, compute), objects=_spoken_of)
        return msgspec.json.decode(encoded, type=Outcome)

    def _computed(self, verb: str, inputs: dict[str, str], brief: Brief, compute: Callable[[], Outcome]) -> bytes:
        run = self.store.begin(verb, inputs=inputs, parameters=msgspec.to_builtins(brief), seed=brief.seed)
        started = time.perf_counter()
        try:
            outcome = compute()
        except BaseException as error:
            self.store.finish(run, outcome="killed" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        ended = self.store.finish(run, outputs=outcome.objects, metrics=outcome.report.metrics)
        report = msgspec.structs.replace(outcome.report, run=ended)
        tell(f"{verb}: {time.perf_counter() - started:.1f} s")
        return msgspec.json.encode(msgspec.structs.replace(outcome, report=report))


def _spoken_of(encoded: bytes) -> list[str]:
    return list(msgspec.json.decode(encoded, type=Outcome).objects.values())
