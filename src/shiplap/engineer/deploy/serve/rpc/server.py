"""`RpcServer`: gRPC in the loop of the HTTP server, with its ships, limits, guard, observer and numbers.

Each process has its own, made in its loop after it was forked, and all listen on one place:

    held = reserve(host, port)                    # rpc.place: before workers are forked
    rpc = RpcServer(server, fleet)  # `server` is the HTTP server of the process, with its guard and observer
    await rpc.start(held, tls)
    rpc.swap(fleet)                               # whenever what is served changes
    await rpc.drain()
"""

from __future__ import annotations

import socket
from typing import Any

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.http.tls import Tls
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.rpc.call import Desk
from shiplap.engineer.deploy.serve.rpc.handling import Handling
from shiplap.engineer.deploy.serve.rpc.health import Health
from shiplap.engineer.deploy.serve.rpc.inference import Inference
from shiplap.engineer.deploy.serve.rpc.library import grpc
from shiplap.engineer.deploy.serve.rpc.place import place_of
from shiplap.engineer.deploy.serve.rpc.prediction import Prediction

__all__ = ["RpcServer"]


class RpcServer:
    """Answers rpcs until it is drained.

    Parameters
    ----------
    desk : Desk
        The HTTP server of this process: limits, guard, observer, numbers.
    fleet : Fleet
        What is served.
    """

    def __init__(self, desk: Desk, fleet: Fleet) -> None:
        self.fleet = fleet
        self._desk = desk
        self._handling = Handling(desk)
        self._inference = Inference(self._handling, fleet)
        self._prediction = Prediction(self._handling, fleet)

    async def start(self, held: socket.socket, tls: Tls | None = None) -> None:
        """Begin to answer on the place of a socket that `reserve` returned; it stays open meanwhile.

        Parameters
        ----------
        held : socket
            The place.
        tls : Tls, optional
            Certificate and key, reloaded as HTTP reloads them; without it everything is sent in the clear.

        Raises
        ------
        InputError
            The place cannot be had.
        """
        limits = self._desk.limits
        self._server = grpc.aio.server(options=_options(limits), maximum_concurrent_rpcs=limits.connections)
        spoken = (self._inference, self._prediction)
        for service in (*spoken, Health(self._handling, [each.name for each in spoken])):
            handler = grpc.method_handlers_generic_handler(service.name, service.methods())
            self._server.add_generic_rpc_handlers((handler,))
        place = place_of(held)
        try:
            if tls is None:
                self._server.add_insecure_port(place)
            else:
                self._server.add_secure_port(place, _Credentials(tls).made)
        except RuntimeError as error:
            raise InputError(f"cannot answer gRPC on {place}: {error}") from error
        await self._server.start()

    def swap(self, fleet: Fleet) -> None:
        """Answer by another fleet from the next request on; those in progress are answered as they began."""
        self.fleet = fleet
        self._inference.swap(fleet)
        self._prediction.swap(fleet)

    async def drain(self) -> None:
        """Accept nothing new, let rpcs in progress finish, and close; cut off what takes longer than `drain_s`."""
        self._handling.end()
        await self._server.stop(self._desk.limits.drain_s)


def _options(limits: Limits) -> list[tuple[str, Any]]:
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", limits.body_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", limits.header_bytes),
        ("grpc.absolute_max_metadata_size", limits.header_bytes),
        ("grpc.max_allowed_incoming_connections", limits.connections),
        ("grpc.max_connection_idle_ms", round(limits.idle_s * 1000)),
        ("grpc.server_handshake_timeout_ms", round(limits.read_s * 1000)),
        ("grpc.keepalive_time_ms", round(limits.idle_s * 1000)),
        ("grpc.keepalive_timeout_ms", round(limits.write_s * 1000)),
    ]


class _Credentials:
    """What handshakes are made with; gRPC asks at each whether it has changed, on a thread of its own."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._read_for = tls.context
        asked = tls.client_authority is not None
        self.made = grpc.dynamic_ssl_server_credentials(self._configuration(), self._changed, asked)

    def _changed(self) -> Any:
        context = self._tls.context
        if context is self._read_for:
            return None
        self._read_for = context
        return self._configuration()

    def _configuration(self) -> Any:
        tls = self._tls
        pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
        authority = tls.client_authority.read_bytes() if tls.client_authority else None
        return grpc.ssl_server_certificate_configuration([pair], root_certificates=authority)
