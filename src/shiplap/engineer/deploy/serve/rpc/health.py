"""The health checking protocol of gRPC: ``grpc.health.v1.Health``, as probes of Kubernetes ask it.

The empty name stands for the server, and every service that is spoken has its own; all are serving until the server is
told to stop. A client that watches is told of the end, and does not hold it up; nobody asks it for a key.

References
----------
https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.rpc.call import Call
from shiplap.engineer.deploy.serve.rpc.handling import Handling
from shiplap.engineer.deploy.serve.rpc.library import DecodeError, grpc, message

__all__ = ["Health"]

_Asked, _Told = message("grpc.health.v1.HealthCheckRequest"), message("grpc.health.v1.HealthCheckResponse")


class Health:
    """The service.

    Parameters
    ----------
    handling : Handling
        Makes handlers.
    services : collection of str
        The services that are spoken.
    """

    name = "grpc.health.v1.Health"

    def __init__(self, handling: Handling, services: Collection[str]) -> None:
        self._handling = handling
        self._services = frozenset({"", self.name, *services})

    def methods(self) -> dict[str, Any]:
        """Return the handlers by method."""
        return {
            "Check": self._handling.unary(f"/{self.name}/Check", self._check),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch),
        }

    async def _check(self, call: Call, asked: bytes) -> bytes:
        service = _service(asked)
        if service not in self._services:
            raise ProblemError(404, f"no service called '{service}' is spoken here", expected=", ".join(self._services))
        return self._told(service)

    async def _watch(self, asked: bytes, context: Any) -> None:
        try:
            service = _service(asked)
        except ProblemError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
            return
        await context.write(self._told(service))
        if not self._handling.ending.done():
            await asyncio.wait((self._handling.ending,))
            await context.write(self._told(service))

    def _told(self, service: str) -> bytes:
        if service not in self._services:
            status = _Told.SERVICE_UNKNOWN
        elif self._handling.desk.draining or self._handling.ending.done():
            status = _Told.NOT_SERVING
        else:
            status = _Told.SERVING
        return bytes(_Told(status=status).SerializeToString())


def _service(asked: bytes) -> str:
    try:
        return str(_Asked.FromString(asked).service)
    except DecodeError as error:
        raise ProblemError(400, "this is no HealthCheckRequest") from error
