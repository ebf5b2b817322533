"""`metric-store ui` as a process: it ends whole, and pages of other sites can neither drive it nor look into it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance

from orchestration.definitions import defs
from orchestration.reruns import let_ui_start_again
from tests.conftest import METRIC_STORE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


class Ui:
    """A UI in the background of a script, as `metric-store ui & ...; kill $!` has it: Ctrl-C is ignored there."""

    def __init__(self, home: Path) -> None:
        self._script = subprocess.Popen(
            ["sh", "-c", '"$@" & echo $!; wait $!', "sh", METRIC_STORE, "ui", "--home", home, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._script.stdout
        assert self._script.stderr
        self.pid = int(self._script.stdout.readline())
        said = self._script.stderr.readline()
        assert said.startswith(f"Dagster UI of {home}: http://127.0.0.1:"), said + self._script.stderr.read()
        self.url = said.split()[4]
        self.port = int(self.url.rpartition(":")[2])

    def ask(self, query: str) -> Any:
        request = urllib.request.Request(
            f"{self.url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def end(self, how: signal.Signals) -> int:
        """The status of the command, when none of the processes that it started is left."""
        processes = descendants(self.pid)
        assert len(processes) >= 3, "daemon, code location and its server"
        os.kill(self.pid, how)
        status = self._script.wait(60)
        deadline = time.monotonic() + 60
        while left := processes & set(parents()):
            assert time.monotonic() < deadline, left
            time.sleep(0.1)
        return status


def parents() -> dict[int, int]:
    """The parent of each process that runs; those that only wait to be asked for their status are gone."""
    shown = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in shown.splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}


def descendants(pid: int) -> set[int]:
    tree = parents()
    found, new = {pid}, {pid}
    while new := {child for child, parent in tree.items() if parent in new} - found:
        found |= new
    return found - {pid}


def test_it_ends_with_all_it_started_however_it_ends(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "inbox").mkdir(parents=True)
    assert Ui(home).end(signal.SIGKILL) == 128 + signal.SIGKILL
    again = Ui(home)
    assert "metric_store" in str(again.ask("{ workspaceOrError { ... on Workspace { locationEntries { name } } } }"))
    assert again.end(signal.SIGINT) == 0


ATTACK = 'mutation { setConcurrencyLimit(concurrencyKey: "KEY", limit: 7) }'
LIMITS = "{ instance { concurrencyLimits { concurrencyKey } } }"

#: What a page of another site tries with the UI at `url`; each is answered, refused or broken off when it ends.
_TRY_ALL = """async ([url, mutation]) => {
    const as = key => mutation.replace("KEY", key), body = key => JSON.stringify({query: as(key)});
    const query = key => `${url}/graphql?query=${encodeURIComponent(as(key))}`;
    const send = (where, options) => fetch(where, {credentials: "include", ...options}).catch(error => error);
    const simple = {mode: "no-cors", method: "POST"};
    await send(query("get"), {mode: "no-cors"});
    await send(query("post with a query"), simple);
    await send(`${url}/graphql`, {...simple, body: body("text"), headers: {"Content-Type": "text/plain"}});
    await send(`${url}/graphql`,
        {...simple, body: body("disguised"), headers: {"Content-Type": "text/plain; application/json"}});
    await send(`${url}/graphql`,
        {method: "POST", body: body("json"), headers: {"Content-Type": "application/json"}});
    const form = new FormData();
    form.set("query", as("form"));
    await send(`${url}/graphql`, {...simple, body: form});
    navigator.sendBeacon(`${url}/graphql`, body("beacon"));
    const image = new Image();
    await new Promise(done => { image.onload = image.onerror = done; image.src = query("image"); });
    const opened = await new Promise(done => {
        const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, "graphql-ws");
        socket.onopen = () => done(true);
        socket.onerror = () => done(false);
    });
    const frame = document.createElement("iframe");
    await new Promise(done => { frame.onload = done; frame.src = url; document.body.append(frame); });
    const read = await send(`${url}/server_info`);
    return {opened, read: read instanceof Response};
}"""


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    home = tmp_path_factory.mktemp("ui") / "home"
    (home / "inbox").mkdir(parents=True)
    running = Ui(home)
    yield running
    # Having ended in good order, uvicorn hands TERM on to the handler that the process began with.
    assert running.end(signal.SIGTERM) in (0, 128 + signal.SIGTERM)


@pytest.fixture(scope="module")
def other_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server with an empty page."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "index.html").write_text("<!doctype html><title>Another site</title><body></body>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine: apt install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(
            executable_path=CHROMIUM, args=[*arguments, "--host-resolver-rules=MAP evil.example 127.0.0.1"]
        )
        yield running
        running.close()


@pytest.mark.parametrize("site", ["evil.example", "127.0.0.1", "localhost"])
def test_another_site_can_neither_drive_it_nor_frame_it(ui: Ui, other_site: int, browser: Any, site: str) -> None:
    page = browser.new_page()
    page.goto(f"http://{site}:{other_site}/")
    with page.expect_console_message(lambda said: "frame-ancestors 'none'" in said.text):
        assert page.evaluate(_TRY_ALL, [ui.url, ATTACK]) == {"opened": False, "read": False}
    page.set_content(
        f'<form method=post enctype=text/plain action=\'{ui.url}/graphql\'><input name=\'{{"query":"x","a":"\''
        f" value='\"}}'><button>Win</button></form>"
    )
    with page.expect_navigation() as sent:
        page.get_by_role("button").click()
    assert sent.value.status == 403
    page.close()
    assert {limit["concurrencyKey"] for limit in ui.ask(LIMITS)["instance"]["concurrencyLimits"]} <= {"own"}


def test_a_name_that_was_made_to_point_here_reads_nothing(ui: Ui, browser: Any) -> None:
    page = browser.new_page()
    assert page.goto(f"http://evil.example:{ui.port}/server_info").status == 400
    page.close()


_JOBS = (
    "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } pipelines { name } } } } }"
)


def test_a_run_of_the_command_line_is_one_of_a_job_that_it_has(ui: Ui) -> None:
    """Otherwise the answer to who starts it again is HTTP 500."""
    with DagsterInstance.ephemeral() as instance:
        made = instance.create_run_for_job(job_def=defs.resolve_job_def("weekly_run"))
        assert made.remote_job_origin is None
        let_ui_start_again(instance, made)
        noted = instance.get_run_by_id(made.run_id)
    assert noted
    assert noted.remote_job_origin
    repository = noted.remote_job_origin.repository_origin
    [served] = ui.ask(_JOBS)["repositoriesOrError"]["nodes"]
    assert repository.code_location_origin.location_name == served["location"]["name"]
    assert repository.repository_name == served["name"]
    assert {"name": noted.remote_job_origin.job_name} in served["pipelines"]


def test_its_own_pages_work(ui: Ui, browser: Any) -> None:
    page = browser.new_page()
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("response", lambda found: found.status >= 400 and failed.append(f"{found.status} {found.url}"))
    with page.expect_websocket():
        page.goto(f"{ui.url}/locations")
        page.get_by_text("metric_store").first.wait_for()
        page.get_by_text("Loaded", exact=True).first.wait_for()
    changed = page.evaluate(
        """async query => (await fetch("/graphql", {
            method: "POST", body: JSON.stringify({query}), headers: {"Content-Type": "application/json"}
        })).json()""",
        ATTACK.replace("KEY", "own"),
    )
    assert changed == {"data": {"setConcurrencyLimit": True}}
    assert failed == []
    page.close()
