"""A server with gRPC in a process of its own: ``python rpc_process.py SHIP ...`` writes where it listens."""

import asyncio
import signal
import sys

import uvloop

from shiplap.engineer.deploy.serve.http.listener import address_of, listen
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.fleet import Fleet, Service
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.rpc.place import place_of, reserve
from shiplap.engineer.deploy.serve.rpc.server import RpcServer
from shiplap.engineer.deploy.serve.site import make_routes
from shiplap.scoring import load


async def run(paths):
    limits = Limits()
    jobs = Jobs(most=limits.queue)
    served = [Hosted(load(path), limits, jobs) for path in paths]
    fleet = Fleet({hosted.name: Service(hosted.name, (hosted,)) for hosted in served})
    server = Server(make_routes(fleet, limits), limits)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    rpc = RpcServer(server, fleet)
    with listen("127.0.0.1", 0) as listener, reserve("127.0.0.1", 0) as held:
        await server.start(listener)
        await rpc.start(held)
        sys.stdout.write(f"{address_of(listener)} {place_of(held)}\n")
        sys.stdout.flush()
        await stop.wait()
        await asyncio.gather(server.drain(), rpc.drain())
    jobs.close()
    for hosted in served:
        hosted.turn.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(sys.argv[1:]))
