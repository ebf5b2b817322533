"""What the UI takes from whom: requests as programs, its own pages and other sites send them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket

from orchestration.ui.origin import MIDDLEWARE

OWN = "127.0.0.1:3000"
JSON = {"content-type": "application/json"}


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("done", headers={"Content-Security-Policy": "object-src 'none'"})


async def connect(websocket: WebSocket) -> None:
    await websocket.accept()


_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
APP = Starlette(
    routes=[
        Mount("/", routes=[WebSocketRoute("/graphql", connect), Route("/{path:path}", answer, methods=_METHODS)]),
    ],
    middleware=MIDDLEWARE,
)


def ask(method: str, path: str, headers: dict[str, str] | None = None, query: str = "") -> tuple[int, dict[str, Any]]:
    """The status of a request and the headers of its answer; method WEBSOCKET opens one, and 101 takes it."""
    is_socket = method == "WEBSOCKET"
    sent = {"host": OWN, **(headers or {})}
    scope: dict[str, Any] = {
        "type": "websocket" if is_socket else "http",
        "path": path,
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "extensions": {"websocket.http.response": {}},
    }
    scope |= {"subprotocols": []} if is_socket else {"method": method}
    found: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect" if is_socket else "http.request"}

    async def send(message: Message) -> None:
        found.append(message)

    asyncio.run(APP(scope, receive, send))
    if found[0]["type"] == "websocket.accept":
        return 101, {}
    answered: dict[str, Any] = {}
    for name, value in found[0]["headers"]:
        answered.setdefault(name.decode(), []).append(value.decode())
    return found[0]["status"], answered


@pytest.mark.parametrize("host", [OWN, "localhost:3000", "LOCALHOST:3000", "127.0.0.1"])
def test_its_own_names(host: str) -> None:
    assert ask("GET", "/runs", {"host": host})[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:3000", "127.0.0.1.evil.example:3000", "localhost.evil.example"),
        *("evil.example@127.0.0.1", "0.0.0.0:3000", "[::ffff:7f00:1]:3000", "", "127.1", "www.localhost"),
    ],
)
def test_a_name_that_was_made_to_point_here(host: str) -> None:
    for method, path in (("GET", "/runs"), ("POST", "/graphql"), ("WEBSOCKET", "/graphql")):
        assert ask(method, path, {"host": host, "origin": f"http://{host}", **JSON})[0] == 400


FOREIGN = [
    *({"origin": "http://evil.example"}, {"origin": "http://127.0.0.1:8080"}, {"origin": "null"}, {"origin": ""}),
    *({"origin": f"https://{OWN}"}, {"origin": f"http://{OWN}.evil.example"}, {"origin": "http://localhost:3000"}),
    *({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"}),
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "WEBSOCKET"])
def test_another_site_changes_nothing(method: str, headers: dict[str, str]) -> None:
    for path in ("/graphql", "/report_asset_materialization/x"):
        assert ask(method, path, {**headers, **JSON})[0] == 403


@pytest.mark.parametrize("headers", [{}, {"origin": f"http://{OWN}"}, {"sec-fetch-site": "same-origin"}], ids=str)
def test_its_own_pages_and_programs(headers: dict[str, str]) -> None:
    assert ask("POST", "/graphql", {**headers, **JSON})[0] == 200
    assert ask("POST", "/graphql", {**headers, "content-type": "Application/JSON; charset=utf-8"})[0] == 200
    assert ask("WEBSOCKET", "/graphql", headers)[0] == 101


@pytest.mark.parametrize(
    "kind",
    [
        *("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql"),
        *("text/plain; application/json", "application/jsonp", ""),
    ],
)
def test_what_a_form_can_send_is_refused(kind: str) -> None:
    for path in ("/graphql", "/report_asset_materialization/x"):
        assert ask("POST", path, {"content-type": kind})[0] == 415
    assert ask("POST", "/graphql")[0] == 415


def test_graphql_is_not_taken_by_get() -> None:
    for path in ("/graphql", "/graphql/"):
        for accept in ("*/*", "application/json", "application/html"):
            assert ask("GET", path, {"accept": accept}, "query=mutation%7Bx%7D")[0] == 405
    assert ask("GET", "/graphql", {"accept": "text/html,*/*"})[0] == 200, "the playground, which executes nothing"
    assert ask("GET", "/runs", {"sec-fetch-site": "cross-site"})[0] == 200, "a link from a mail"


def test_no_page_frames_it() -> None:
    for method, path in (("GET", "/runs"), ("POST", "/graphql"), ("GET", "/graphql")):
        headers = ask(method, path)[1]
        assert headers["content-security-policy"][-1] == "frame-ancestors 'none'"
        assert headers["x-frame-options"] == ["DENY"]
        assert headers["cross-origin-resource-policy"] == ["same-origin"]
    assert ask("GET", "/runs")[1]["content-security-policy"] == ["object-src 'none'", "frame-ancestors 'none'"]
