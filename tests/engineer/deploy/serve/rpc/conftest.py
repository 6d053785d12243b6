"""A gRPC server and its client in one loop; and the same server in a process of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.fleet import Fleet, Service
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.rpc.library import grpc, message
from shiplap.engineer.deploy.serve.rpc.place import place_of, reserve
from shiplap.engineer.deploy.serve.rpc.server import RpcServer
from shiplap.scoring import load


class Talk(NamedTuple):
    """A running server, and a channel to it."""

    server: Server
    rpc: RpcServer
    channel: Any
    place: str

    def method(self, path, asked, told):
        """Return a call of one message and one answer."""
        encode, decode = message(asked).SerializeToString, message(told).FromString
        return self.channel.unary_unary(path, request_serializer=encode, response_deserializer=decode)

    async def ask(self, method, **fields):
        """Ask the inference service."""
        call = self.method(
            f"/inference.GRPCInferenceService/{method}", f"inference.{method}Request", f"inference.{method}Response"
        )
        return await call(message(f"inference.{method}Request")(**fields))

    async def predict(self, method, **fields):
        """Ask TensorFlow Serving's service."""
        stem = {"Classify": "Classification", "Regress": "Regression"}.get(method, method)
        asked, told = f"tensorflow.serving.{stem}Request", f"tensorflow.serving.{stem}Response"
        call = self.method(f"/tensorflow.serving.PredictionService/{method}", asked, told)
        return await call(message(asked)(**fields))


def _nothing(exchange):
    raise ProblemError(404, "nothing is here")


def fleet_of(jobs, limits, *ships):
    services = {}
    for path in ships:
        hosted = Hosted(load(path), limits, jobs)
        others = services[hosted.name].versions if hosted.name in services else ()
        services[hosted.name] = Service(hosted.name, (*others, hosted))
    return Fleet(services)


@asynccontextmanager
async def talking(*ships, limits=None, tls=None, **hooks) -> AsyncIterator[Talk]:
    limits = limits or Limits()
    jobs = Jobs(most=limits.queue)
    server = Server(Routes((), _nothing), limits, **hooks)
    fleet = fleet_of(jobs, limits, *ships)
    rpc = RpcServer(server, fleet)
    try:
        with reserve("127.0.0.1", 0) as held:
            await rpc.start(held, tls)
            async with grpc.aio.insecure_channel(place_of(held)) as channel:
                yield Talk(server, rpc, channel, place_of(held))
    finally:
        server.draining = True
        await rpc.drain()
        jobs.close()
        for hosted in fleet.hosted:
            hosted.turn.close()


@pytest.fixture(scope="session")
def talk() -> Callable[..., Any]:
    """Run ``scenario(talk)`` against a server of its own: ``talk(scenario, *ships, limits=...)``."""

    def run(scenario, *ships, **options):
        async def whole():
            async with talking(*ships, **options) as found:
                return await asyncio.wait_for(scenario(found), 60)

        return asyncio.run(whole())

    return run


@pytest.fixture(scope="session")
def refusal() -> Callable[..., Any]:
    """Return the code and the words of what an awaitable is refused with."""

    async def of(asked):
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await asked
        return told.value

    return of
