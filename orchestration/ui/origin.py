"""Protects a UI without accounts from other web pages: by host, origin and method of a request."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Other names of this machine are those of a page that had its own name point here.
HOSTS = ("127.0.0.1", "localhost")
_READS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # beside Dagster's own, if it has one: both hold
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SameOrigin:
    """Refuses what only another site would ask for, and forbids every page to frame this one.

    What changes something, and every websocket, comes from a page of this UI or from a program that is no browser; what
    it sends is JSON, which no form can. GraphQL isn't taken by GET, because Dagster executes mutations by GET, too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        status, why = _refusal(HTTPConnection(scope))
        answer = PlainTextResponse(why, status) if why else self._app

        async def send_guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.append(name, value)
            await send(message)

        await answer(scope, receive, send_guarded)


def _refusal(request: HTTPConnection) -> tuple[int, str]:
    """The status and the reason to refuse a request, or '' for none."""
    is_socket, method = request.scope["type"] == "websocket", request.scope.get("method")
    if is_socket or method not in _READS:
        if not _is_of_this_site(request):
            return 403, "Refused: this request comes from another site."
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not is_socket and kind != "application/json":
            return 415, "Refused: send application/json."
    elif request.url.path.rstrip("/") == "/graphql" and "text/html" not in request.headers.get("accept", ""):
        return 405, "Refused: send GraphQL by POST."
    return 200, ""


def _is_of_this_site(request: HTTPConnection) -> bool:
    origin = request.headers.get("origin")
    if origin is not None:
        return origin == f"http://{request.headers['host']}"
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


MIDDLEWARE = (
    Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
    Middleware(SameOrigin),
)
