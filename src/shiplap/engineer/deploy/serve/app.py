"""Everything beside the predict routes, as a Starlette application: what is served, health, the description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import shiplap
from shiplap.engineer.deploy.serve.problem import ProblemError

if TYPE_CHECKING:
    from shiplap.engineer.deploy.serve.models.hosted import Hosted

__all__ = ["make_app"]


def make_app(models: Sequence[Hosted], description: bytes) -> Starlette:
    """Return the application.

    Parameters
    ----------
    models : sequence of Hosted
        What is served.
    description : bytes
        The OpenAPI description.
    """
    served = [{"name": model.name, "version": model.version, "ship": model.scorer.ship.id} for model in models]
    index = msgspec.json.encode(
        {
            "server": "shiplap",
            "status": "alive",  # what clients of KServe v1 look for
            "version": shiplap.__version__,
            "models": served,
            "health": "/health",
            "description": "/openapi.json",
        }
    )
    health = msgspec.json.encode({"status": "ok", "models": served})
    return Starlette(
        routes=[_fixed("/", index), _fixed("/health", health), _fixed("/openapi.json", description)],
        exception_handlers={HTTPException: _as_problem},
    )


def _fixed(path: str, body: bytes) -> Route:
    async def answer(request: Request) -> Response:
        return Response(body, media_type="application/json")

    return Route(path, answer, methods=["GET"])


async def _as_problem(request: Request, error: Exception) -> Response:
    path = request.scope["path"]
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        detail = f"{request.method} is not for this path"
        problem = ProblemError(405, detail, headers={"Allow": allowed}, expected=allowed)
    else:
        problem = ProblemError(404, f"nothing is at {path}", hint="see /openapi.json")
    return Response(problem.body(), problem.status, headers=problem.headers, media_type="application/problem+json")
