"""`Spans`: requests as spans of OpenTelemetry, chosen on the loop, made and sent on a thread.

They are switched on by the standard variables: ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or ``..._TRACES_ENDPOINT``), or
``OTEL_TRACES_EXPORTER=otlp``. Making and sending a span costs more than answering a row, so unlike elsewhere
``OTEL_TRACES_SAMPLER`` is ``parentbased_always_off`` where it is not set: only requests are traced whose client says
that it records their trace. ``parentbased_traceidratio`` with ``OTEL_TRACES_SAMPLER_ARG=0.01`` traces one in a hundred
of the others.

References
----------
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import random
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from shiplap.core.errors import InputError, MissingExtraError, nearest
from shiplap.engineer.deploy.serve.http.exchange import Exchange
from shiplap.engineer.deploy.serve.http.trace import TraceParent
from shiplap.engineer.deploy.serve.seen.answered import Answered

if TYPE_CHECKING:
    from shiplap.engineer.deploy.serve.seen.otlp import Sender

__all__ = ["Sampler", "Spans"]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_CLOSE_S = 2.0
_LOW = (1 << 64) - 1


class Sampler(NamedTuple):
    """Which requests are traced.

    Parameters
    ----------
    share : float
        Of those that nobody decided about, 0 to 1.
    heeds : bool
        Whether the client decides about its own.

    Examples
    --------
    >>> Sampler.of({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"})
    Sampler(share=0.1, heeds=True)
    """

    share: float
    heeds: bool

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Sampler:
        """Return what the environment says; raises ``InputError``."""
        name = environment.get("OTEL_TRACES_SAMPLER", "").strip().lower() or "parentbased_always_off"
        shares = {"always_on": 1.0, "always_off": 0.0, "traceidratio": _share(environment)}
        share = shares.get(name.removeprefix("parentbased_"))
        if share is None:
            known = [f"{start}{end}" for start in ("parentbased_", "") for end in shares]
            raise InputError(
                f"OTEL_TRACES_SAMPLER is '{name}', which is none of {', '.join(known)}", hint=nearest(name, known)
            )
        return cls(share, name.startswith("parentbased_"))

    def decide(self, parent: TraceParent | None) -> str | None:
        """Return the id of the trace that a request belongs to, where it is to be traced."""
        if parent is None:
            number = random.getrandbits(128) if self.share else 0
            return f"{number:032x}" if number and (number & _LOW) < self.share * (_LOW + 1) else None
        if self.heeds:
            return parent.trace_id if parent.sampled else None
        return parent.trace_id if (int(parent.trace_id, 16) & _LOW) < self.share * (_LOW + 1) else None


class Spans:
    """Takes spans.

    Parameters
    ----------
    sampler : Sampler
        Which requests are traced.
    environment : mapping of str to str
        Environment variables; ``OTEL_BSP_MAX_QUEUE_SIZE`` (2048), ``OTEL_BSP_MAX_EXPORT_BATCH_SIZE`` (512) and
        ``OTEL_BSP_SCHEDULE_DELAY`` (5000 ms) say how many wait, and how long.

    Attributes
    ----------
    sent, lost : int
        Spans that the collector took, and that it did not.

    Raises
    ------
    MissingExtraError
        OpenTelemetry is not installed.
    InputError
        A variable is no number.
    """

    def __init__(self, sampler: Sampler, environment: Mapping[str, str]) -> None:
        self._sampler = sampler
        self._most = _number(environment, "OTEL_BSP_MAX_QUEUE_SIZE", 2_048)
        self._at_once = _number(environment, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)
        self._delay_s = _number(environment, "OTEL_BSP_SCHEDULE_DELAY", 5_000) / 1e3
        self._waiting: deque[Answered] = deque()
        self._refused = self._unsent = self.sent = 0
        self._wake = threading.Event()
        self._ended = self._said = False
        self._sender: Sender | None = None
        try:
            from shiplap.engineer.deploy.serve.seen import otlp  # noqa: PLC0415  before workers fork, and only if wanted
        except ModuleNotFoundError as error:
            detail = "tracing, which OTEL_* variables switch on and OTEL_SDK_DISABLED=true off,"
            raise MissingExtraError(detail, extra="otel") from error
        self._make = otlp.Sender

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Spans | None:
        """Return spans where the environment switches them on.

        Raises
        ------
        MissingExtraError
            OpenTelemetry is not installed.
        InputError
            Something is asked for that is not there: another exporter than ``otlp``, or another protocol than
            ``http/protobuf``.
        """
        exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
        wanted = exporter == "otlp" or (not exporter and any(environment.get(name) for name in _ENDPOINTS))
        if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporter == "none":
            return None
        if exporter not in {"", "otlp"}:
            raise InputError(f"OTEL_TRACES_EXPORTER is '{exporter}': spans go to otlp, or with none nowhere")
        protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), "http/protobuf")
        if wanted and protocol != "http/protobuf":
            detail = f"the OTLP protocol is '{protocol}': spans are sent by http/protobuf"
            raise InputError(detail, hint=f"unset {' and '.join(_PROTOCOLS)}")
        return cls(Sampler.of(environment), environment) if wanted else None

    @property
    def lost(self) -> int:
        """How many spans were not sent."""
        return self._refused + self._unsent

    def start(self) -> None:
        """Begin to send; in each process after it was forked."""
        self._sender = self._make()
        self._thread = threading.Thread(target=self._run, args=(self._sender,), name="shiplap-spans", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send what waits, and end; a collector that does not answer within two seconds does not get it."""
        if self._sender is None:
            return
        self._ended = True
        self._wake.set()
        self._thread.join(_CLOSE_S)
        self._sender.close()

    def decide(self, exchange: Exchange) -> str | None:
        """Return the id of the trace in which an exchange is recorded, if it is."""
        return self._sampler.decide(exchange.trace)

    def note(self, answered: Answered) -> None:
        """Keep an answer that is to be recorded."""
        if len(self._waiting) >= self._most:
            self._refused += 1
            return
        self._waiting.append(answered)
        if len(self._waiting) == self._at_once:
            self._wake.set()

    def _run(self, sender: Sender) -> None:
        while not self._ended:
            self._wake.wait(self._delay_s)
            self._wake.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(self._at_once, len(self._waiting)))]
                if sender.send(batch):
                    self.sent += len(batch)
                else:
                    self._unsent += len(batch)
                    self._say()

    def _say(self) -> None:
        if not self._said:
            self._said = True
            sys.stderr.write("spans are lost: the OpenTelemetry collector does not take them\n")


def _share(environment: Mapping[str, str]) -> float:
    text = environment.get("OTEL_TRACES_SAMPLER_ARG", "").strip() or "1"
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError(f"OTEL_TRACES_SAMPLER_ARG is a share from 0 to 1, not '{text}'")
    return share


def _number(environment: Mapping[str, str], name: str, otherwise: int) -> int:
    text = environment.get(name, "").strip() or str(otherwise)
    if not text.isdecimal() or not int(text):
        raise InputError(f"{name} is a whole number above 0, not '{text}'")
    return int(text)
