"""Everything beside the predict routes, as a Starlette application: what is served, the pages, the description.

A swap of models makes another application, so each part is made when it is first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import shiplap
from shiplap.engineer.deploy.serve.accepted import VALUES
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.openapi import describe, named, operation
from shiplap.engineer.deploy.serve.pages import HEADERS, docs_page, form_page, forms, operations
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.health import told_of
from shiplap.engineer.deploy.serve.schemas import served, strict

__all__ = ["make_app"]

_JSON, _HTML = "application/json", "text/html"
_TEXT: dict[str, Any] = {"type": "string"}
_NOWHERE = "http://nowhere.invalid"  # stands for the address in what is kept
_HOST = re.compile(r"[\w.:\[\]-]+", re.ASCII)
Described = Mapping[str, Any]


def make_app(fleet: Fleet, paths: Callable[[], Iterable[Described]], security: Described | None = None) -> Starlette:
    """Return the application.

    Parameters
    ----------
    fleet : Fleet
        What is served.
    paths : callable
        Returns what the protocols say of themselves: path items by path, one mapping a protocol.
    security : mapping, optional
        The schemes by which clients say who they are, by name; where none is given, nobody need.
    """
    beside = _Beside(fleet, paths, security)
    routes = {
        "/": _at_once(beside.front),  # probes ask for it
        "/form.json": lambda _: _json(beside.form),
        "/docs": beside.docs,
        "/docs/operations": beside.fragment,
        "/openapi.json": lambda _: _json(beside.document),
    }
    return Starlette(
        # What is no coroutine runs on a thread: describing every protocol takes milliseconds.
        routes=[Route(path, make, methods=["GET"]) for path, make in routes.items()],
        exception_handlers={HTTPException: _as_problem},
    )


class _Beside:
    def __init__(self, fleet: Fleet, paths: Callable[[], Iterable[Described]], security: Described | None) -> None:
        self._fleet = fleet
        self._paths = paths
        self._security = security

    @cached_property
    def description(self) -> dict[str, Any]:
        schemas = {"ServedModel": strict({"name": _TEXT, "version": _TEXT, "ship": _TEXT}), **VALUES}
        for each in served(self._fleet):
            schemas |= each.schemas.definitions()
        return describe([*self._paths(), _own_paths()], schemas, self._security)

    @cached_property
    def document(self) -> bytes:
        return msgspec.json.encode(self.description)

    @cached_property
    def form(self) -> bytes:
        return msgspec.json.encode({"models": forms(self._fleet)})

    @cached_property
    def index(self) -> bytes:
        told = {
            "server": "shiplap",
            "status": "alive",  # what clients of KServe v1 look for
            "version": shiplap.__version__,
            "models": told_of(self._fleet),
            "health": "/health",
            "description": "/openapi.json",
        }
        return msgspec.json.encode(told)

    def front(self, request: Request) -> Response:
        if _HTML in request.headers.get("accept", ""):
            return _page(*form_page())
        return Response(self.index, media_type=_JSON, headers={"Vary": "Accept"})

    @cached_property
    def operations(self) -> str:
        return operations(self.description, _NOWHERE)

    def docs(self, request: Request) -> Response:
        return _page(*docs_page(None if self._security else self._operations_at(request)))

    def fragment(self, request: Request) -> Response:
        return Response(self._operations_at(request), media_type=_HTML)

    def _operations_at(self, request: Request) -> str:
        return self.operations.replace(_NOWHERE, _origin(request))


def _own_paths() -> dict[str, Any]:
    models = {"type": "array", "items": named("ServedModel")}
    index = dict.fromkeys(("server", "status", "version", "health", "description"), _TEXT) | {"models": models}
    page = {_HTML: {"schema": {"type": "string"}}}
    anything = {_JSON: {"schema": {"type": "object"}}}
    front = {_JSON: {"schema": strict(index)}, **page}
    return {
        "/": {"get": operation("Server", "What is served; for a browser a page with a form", front, open_to_all=True)},
        "/docs": {"get": operation("Server", "This description as a page", page, open_to_all=True)},
        "/docs/operations": {"get": operation("Server", "What stands in that page", page)},
        "/form.json": {"get": operation("Server", "What the page with a form asks for", anything)},
        "/openapi.json": {"get": operation("Server", "This description", anything)},
    }


def _at_once(make: Callable[[Request], Response]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        return make(request)

    return answer


def _json(body: bytes) -> Response:
    return Response(body, media_type=_JSON)


def _page(body: bytes, policy: str) -> Response:
    return Response(body, media_type=_HTML, headers={**HEADERS, "Content-Security-Policy": policy})


def _origin(request: Request) -> str:
    """Return where the client found this server; it may be behind another that speaks TLS."""
    scheme = "https" if request.headers.get("x-forwarded-proto") == "https" else request.url.scheme
    host = request.headers.get("host", "")
    return f"{scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"


async def _as_problem(request: Request, error: Exception) -> Response:
    path = request.scope["path"]
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        detail = f"{request.method} is not for this path"
        problem = ProblemError(405, detail, headers={"Allow": allowed}, expected=allowed)
    else:
        problem = ProblemError(404, f"nothing is at {path}", hint="see /openapi.json")
    return Response(problem.body(), problem.status, headers=problem.headers, media_type="application/problem+json")
