"""`Routes`: which handler answers which method and path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from shiplap.engineer.deploy.serve.http.exchange import Exchange, Handler, Route
from shiplap.engineer.deploy.serve.problem import ProblemError

__all__ = ["Routes"]

_SEGMENT = re.compile(r"\\{(\w+)\\}")


class Routes:
    """The routes of all protocols; whatever they do not know goes to the application beside them.

    Parameters
    ----------
    routes : iterable of Route
        Routes of the protocols, first match first.
    beside : Handler
        Answers every other path.
    """

    def __init__(self, routes: Iterable[Route], beside: Handler) -> None:
        self._paths: dict[str, dict[str, Route]] = {}
        self._beside = beside
        for route in routes:
            self._paths.setdefault(route.path, {}).setdefault(route.method, route)
        self._patterns = [(_pattern(path), methods) for path, methods in self._paths.items()]

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        """Return who answers, and the segments of the path that vary.

        Never fails: an unknown method on a known path gets a route that refuses with 405 and names the right ones.
        """
        if path == "*" and method == "OPTIONS":
            return Route(method, path, _options("GET, HEAD, OPTIONS, POST")), {}
        for pattern, methods in self._patterns:
            match = pattern.fullmatch(path)
            if match:
                return self._among(methods, method), match.groupdict()
        return Route(method, path, self._beside), {}

    def _among(self, methods: dict[str, Route], method: str) -> Route:
        route = methods.get("GET" if method == "HEAD" else method)
        if route is not None:
            return route
        some = next(iter(methods.values()))
        allowed = ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}))
        answer = _options(allowed) if method == "OPTIONS" else _not_allowed(allowed)
        return some._replace(method=method, handler=answer)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_SEGMENT.sub(r"(?P<\1>[^/]+)", re.escape(path)))


def _options(allowed: str) -> Handler:
    def answer(exchange: Exchange) -> None:
        exchange.answer(b"", status=204, media_type="", headers={"Allow": allowed})

    return answer


def _not_allowed(allowed: str) -> Handler:
    def answer(exchange: Exchange) -> None:
        method = exchange.head.method
        raise ProblemError(405, f"{method} is not for this path", headers={"Allow": allowed}, expected=allowed)

    return answer
