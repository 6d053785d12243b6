"""`RpcServer`: gRPC in the loop of the HTTP server, with its ships, limits, guard, observer and numbers.

Each process has its own, made in its loop after it was forked, and all listen on one place:

    held = reserve(host, port)                    # rpc.place: before workers are forked
    rpc = RpcServer(server, fleet)  # `server` is the HTTP server of the process, with its guard and observer
    await rpc.start(held)
    rpc.swap(fleet)                               # whenever what is served changes
    await rpc.drain()
"""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.rpc.call import Desk
from shiplap.engineer.deploy.serve.rpc.handling import Handling
from shiplap.engineer.deploy.serve.rpc.health import Health
from shiplap.engineer.deploy.serve.rpc.inference import Inference, Repository
from shiplap.engineer.deploy.serve.rpc.library import grpc
from shiplap.engineer.deploy.serve.rpc.place import place_of
from shiplap.engineer.deploy.serve.rpc.prediction import Prediction

__all__ = ["Credentials", "RpcServer"]


class Credentials(NamedTuple):
    """What TLS needs, each as the content of a PEM file.

    Parameters
    ----------
    certificate, key : bytes
        The server's own.
    client_ca : bytes
        Who vouches for clients; with it, a client must show a certificate.
    """

    certificate: bytes
    key: bytes
    client_ca: bytes = b""


class RpcServer:
    """Answers rpcs until it is drained.

    Parameters
    ----------
    desk : Desk
        The HTTP server of this process: limits, guard, observer, numbers.
    fleet : Fleet
        What is served.
    repository : Repository, optional
        Where models can be loaded from; without one, they cannot over gRPC.
    """

    def __init__(self, desk: Desk, fleet: Fleet, *, repository: Repository | None = None) -> None:
        self.fleet = fleet
        self._desk = desk
        self._handling = Handling(desk)
        self._inference = Inference(self._handling, fleet, repository)
        self._prediction = Prediction(self._handling, fleet)

    async def start(self, held: socket.socket, credentials: Credentials | None = None) -> None:
        """Begin to answer on the place of a socket that `reserve` returned; it stays open meanwhile.

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
            if credentials is None:
                self._server.add_insecure_port(place)
            else:
                self._server.add_secure_port(place, _secured(credentials))
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
        ("grpc.max_concurrent_streams", limits.pipeline),
        ("grpc.max_connection_idle_ms", round(limits.idle_s * 1000)),
        ("grpc.server_handshake_timeout_ms", round(limits.read_s * 1000)),
        ("grpc.keepalive_time_ms", round(limits.idle_s * 1000)),
        ("grpc.keepalive_timeout_ms", round(limits.write_s * 1000)),
    ]


def _secured(credentials: Credentials) -> Any:
    return grpc.ssl_server_credentials(
        [(credentials.key, credentials.certificate)],
        root_certificates=credentials.client_ca or None,
        require_client_auth=bool(credentials.client_ca),
    )
