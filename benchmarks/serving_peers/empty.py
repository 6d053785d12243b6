"""Shiplap's own HTTP, answering every request with an empty object: what an answer costs without any work."""

import asyncio
import sys

import uvloop

from shiplap.engineer.deploy.serve.http.exchange import Exchange, Route
from shiplap.engineer.deploy.serve.http.listener import listen
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.limits import Limits


def empty(exchange: Exchange) -> None:
    exchange.answer_json(b"{}")


async def main() -> None:
    listener = listen("127.0.0.1", int(sys.argv[1]))
    await Server(Routes([Route("POST", "/predict", empty)], empty), Limits()).start(listener)
    await asyncio.Event().wait()


uvloop.run(main())
