"""Notices: what a digest says, to whom, how often, and what happens to one who doesn't take it."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster
import duckdb
import pytest
from dagster import AssetKey, DagsterInstance, DefaultSensorStatus, Definitions

from metric_store.errors import MetricStoreError
from metric_store.words import WEEK
from orchestration.assets.notice import NOTICE, notice_after
from orchestration.definitions import build_definitions
from orchestration.errors import InterruptedRunError
from orchestration.home.layout import HOME_VARIABLE, Home
from orchestration.jobs import failed_run_notice, monday_0300_utc
from orchestration.notices import telling
from orchestration.notices.telling import NOTIFY_VARIABLE, failures_told, targets, tell
from orchestration.resources import MetricStoreResource
from tests.conftest import metric_store
from tests.unit.store_kit import publish_again, store_of_weeks

FIRST = date(2026, 1, 5)
SECRET = "s3cr3t"


class Receiver(ThreadingHTTPServer):
    """A webhook that keeps what comes; it answers with `status`, after `seconds`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Webhook)
        self.came: list[dict[str, Any]] = []
        self.status, self.seconds = 200, 0.0

    @property
    def url(self) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.server_port}/{SECRET}"


class _Webhook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        time.sleep(self.server.seconds)
        self.server.came.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


class MailServer(socketserver.ThreadingTCPServer):
    """A server of SMTP that keeps the messages that come."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.came: list[Any] = []


class _Mail(socketserver.StreamRequestHandler):
    """As much of the protocol as it takes to be sent a message."""

    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.came.append(message_from_bytes(b"".join(lines), policy=policy.default))
            login = line.upper().startswith(b"AUTH")
            hello = b"250-hello\r\n250 AUTH PLAIN\r\n" if line.upper().startswith(b"EHLO") else b"250 ok\r\n"
            self.wfile.write(b"235 welcome\r\n" if login else hello)


def serving(server: socketserver.BaseServer) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def webhook() -> Iterator[Receiver]:
    yield from serving(Receiver())


@pytest.fixture
def mail() -> Iterator[MailServer]:
    yield from serving(MailServer())


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two published weeks; of the second one, two figures are known."""
    home = store_of_weeks(tmp_path_factory.mktemp("notices") / "home", [FIRST, FIRST + WEEK])
    with duckdb.connect(str(home.published_store)) as db:
        db.execute("use metric_store.marts")
        db.execute("delete from fct_metric_week; delete from fct_metric_change_week; delete from dim_metric")
        db.execute(
            "insert into dim_metric (metric_id, setup_name, unit) values ('o2d_ratio', 'O2D ratio', 'percent'), "
            "('claims_raised', 'Claims raised', 'count')"
        )
        db.execute(
            "insert into fct_metric_week (week_start, metric_id, dimension, member, display_value, change, "
            f"is_small_sample) values ('{FIRST + WEEK}', 'o2d_ratio', 'overall', 'overall', '59.24%', -1.5, false), "
            f"('{FIRST + WEEK}', 'claims_raised', 'overall', 'overall', '31', null, true)"
        )
        db.execute(
            "insert into fct_metric_change_week (week_start, metric_id, dimension, member, is_signal) "
            f"values ('{FIRST + WEEK}', 'o2d_ratio', 'overall', 'overall', true)"
        )
    return home


@pytest.fixture
def home(published: Home, tmp_path: Path) -> Home:
    return Home(shutil.copytree(published.root, tmp_path / "home"))


def withhold(home: Home, week: date, message: str = "days_present is 5, should be 7") -> None:
    with duckdb.connect(str(home.published_store)) as db:
        db.execute(
            "insert into marts.fct_data_quality_week (week_start, rule_id, scope, severity, passed, message, "
            "is_withholding) values (?, 'days_present', 'oms_logs', 'error', false, ?, true)",
            [week, message],
        )


def told(home: Home, **how: str) -> tuple[int, list[str]]:
    """How many targets took a digest, and the warnings."""
    warnings: list[str] = []
    return tell(home, warnings.append, **how), warnings


def test_a_digest_says_what_a_run_did_and_what_is_in_its_way(
    home: Home, webhook: Receiver, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_mail = f"mailto://user:{SECRET}@127.0.0.1:{mail.server_address[1]}/?to=a@example.com,b@example.com&from=c@example.com&mode=insecure"
    monkeypatch.setenv(NOTIFY_VARIABLE, f"{webhook.url}, {to_mail}\n")
    withhold(home, FIRST + 2 * WEEK)
    with duckdb.connect(str(home.published_store)) as db:
        db.execute(
            "insert into marts.fct_restatement values (?, 'fct_metric_week', "
            "'metric_id=o2d_ratio, dimension=overall, member=mall', 'value', 'b1', '58.10', '59.24', ?, 'records')",
            [FIRST, datetime(2026, 1, 20)],
        )
    assert told(home, run_id="b1") == (2, [])
    [received] = webhook.came
    assert received["type"] == "warning"
    assert received["title"].startswith(
        "Metric store home: published 2026-01-05..2026-01-12; restated figures; withheld 2026-01-19; late 2026-01-19.."
    )
    lines = received["message"].splitlines()
    assert lines[:-2] == [
        "Published: 2026-01-05..2026-01-12",
        "Figures of 2026-01-12, with the change against the week before:",
        "  O2D ratio: 59.24% (-1.50 points, a signal)",
        "  Claims raised: 31 (no week before, small sample)",
        "Restated: 1 figure of 2026-01-05, because of other records",
        "  O2D ratio of 2026-01-05: 58.10 -> 59.24",
        "Withheld 2026-01-19: days_present is 5, should be 7",
        "  to let it through, add to config/gate_waivers.csv: days_present,oms_logs,2026-01-19,REASON,NAME,VALID_UNTIL",
    ]
    assert lines[-2].startswith("Late, not published 12 hours after A: 2026-01-19..")
    assert lines[-1] == f"Report: {home.report_index.as_uri()}"
    assert [message["to"] for message in mail.came] == ["a@example.com", "b@example.com"]
    for message in mail.came:
        assert message["subject"] == received["title"]
        assert message.get_content().splitlines() == lines


def test_the_same_is_told_once(home: Home, webhook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NOTIFY_VARIABLE, webhook.url)
    week = FIRST + 2 * WEEK
    withhold(home, week)
    assert told(home, run_id="b1") == (1, [])
    assert told(home, run_id="b1") == (0, []), "the step made again"
    assert told(home, run_id="again") == (0, []), "a run that withheld the same"
    publish_again(home, [week], build="b2")
    with duckdb.connect(str(home.published_store)) as db:
        db.execute("delete from marts.fct_data_quality_week where is_withholding")
    assert told(home, run_id="b2") == (1, [])
    assert webhook.came[-1]["title"].startswith("Metric store home: published 2026-01-19; late 2026-01-26..")
    withhold(home, week)
    assert told(home) == (1, []), "it was over, and has come again"
    assert "published" not in webhook.came[-1]["title"]
    for _ in range(2):
        for failure in ("No room.\nsee run 1", "Another range failed."):
            told(home, failure=failure)
    assert [came["title"].split(": ")[1].split(";")[0] for came in webhook.came[3:]] == ["failed", "failed"]
    assert webhook.came[3]["message"].splitlines()[:2] == ["Failed: No room.", "  see run 1"]
    assert webhook.came[3]["type"] == "failure"
    assert told(home, failure="No room.\nsee run 2") == (0, []), "the same in another run"
    assert told(home) == (0, [])
    assert told(home, failure="No room.") == (1, []), "a run came to its end since"


def test_a_target_that_takes_nothing_is_a_warning_and_hears_it_from_the_next(
    home: Home, webhook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        down = f"json://user:{SECRET}@127.0.0.1:{free.getsockname()[1]}"
    other = Receiver()
    other.status, other.seconds = 500, 0
    for _ in serving(other):
        monkeypatch.setenv(NOTIFY_VARIABLE, f"{down} {webhook.url} nonsense://{SECRET} {SECRET} {other.url}")
        sent, warnings = told(home, run_id="b1")
        assert (sent, len(webhook.came)) == (1, 1)
        assert warnings == [
            "Target 3 of METRIC_STORE_NOTIFY is no URL that Apprise knows.",
            "Target 4 of METRIC_STORE_NOTIFY is no URL that Apprise knows.",
            "Target 1 json of METRIC_STORE_NOTIFY couldn't be reached, or refused the digest.",
            "Target 5 json of METRIC_STORE_NOTIFY couldn't be reached, or refused the digest.",
        ]
        other.status = 200
        assert told(home, run_id="b1")[0] == 1
        assert (len(webhook.came), len(other.came)) == (1, 2)
        assert "published 2026-01-05..2026-01-12" in other.came[-1]["title"]


def test_a_slow_target_is_left_behind(home: Home, webhook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Receiver()
    slow.seconds = 3
    monkeypatch.setattr(telling, "SECONDS", 0.5)
    for _ in serving(slow):
        monkeypatch.setenv(NOTIFY_VARIABLE, f"{slow.url} {webhook.url}")
        started = time.monotonic()
        assert told(home, run_id="b1") == (1, ["Target 1 json of METRIC_STORE_NOTIFY didn't answer within 0 seconds."])
        assert time.monotonic() - started < 2.5
        assert len(webhook.came) == 1
    assert telling.SECONDS == 0.5


def test_no_part_of_a_url_is_said_or_kept(
    home: Home,
    webhook: Receiver,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not in the history of Dagster, in a log, on the terminal or in the home, whether the target takes it or not."""
    monkeypatch.setenv(HOME_VARIABLE, str(home.root))
    monkeypatch.setenv(NOTIFY_VARIABLE, f"{webhook.url} json://{SECRET}:{SECRET}@127.0.0.1:9/{SECRET} slack://{SECRET}")
    caplog.set_level(logging.DEBUG)
    (tmp_path / "history").mkdir()
    with DagsterInstance.local_temp(str(tmp_path / "history")) as instance:
        done = dagster.materialize([notice_after([])], instance=instance, resources={"store": MetricStoreResource()})
    assert done.success
    [event] = done.asset_materializations_for_node("notice")
    assert (event.metadata["targets_told"].value, len(webhook.came)) == (1, 1)
    said = capfd.readouterr()
    assert "Target 2 json" in caplog.text + said.err
    for text in (caplog.text, said.out, said.err):
        assert SECRET not in text
        assert str(webhook.server_port) not in text
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


def test_whatever_goes_wrong_is_a_warning(home: Home, webhook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NOTIFY_VARIABLE, webhook.url)
    home.notices_told.write_text("{")
    assert told(home, run_id="b1") == (1, [])
    home.notices_told.unlink()
    home.notices_told.mkdir()
    assert told(home, run_id="b1") == (0, ["The digest couldn't be sent: IsADirectoryError."])
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert told(home)[1] == [
        "METRIC_STORE_NOTIFY is set, but Apprise isn't installed: install the extra notify of this package."
    ]
    monkeypatch.setenv(NOTIFY_VARIABLE, " ,\n")
    assert told(home, failure="x") == (0, [])


def test_a_failure_is_told_on_a_store_of_another_release(
    home: Home, webhook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTIFY_VARIABLE, webhook.url)
    with duckdb.connect(str(home.published_store)) as db:
        db.execute("drop table marts.fct_restatement; drop table marts.fct_metric_change_week")
    assert told(home, run_id="b1", failure="It broke.") == (1, [])
    assert webhook.came[0]["message"].splitlines()[0] == "Failed: It broke."


def test_what_the_user_ended_is_no_news(home: Home, webhook: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NOTIFY_VARIABLE, webhook.url)
    with pytest.raises(InterruptedRunError), failures_told(home, print):
        raise InterruptedRunError
    assert webhook.came == []
    with pytest.raises(MetricStoreError, match="No room"), failures_told(home, print):
        raise MetricStoreError("No room\nmake some")
    assert [came["message"].splitlines()[0] for came in webhook.came] == ["Failed: No room"]


def test_a_run_and_a_tick_that_fail_before_anything_starts_are_told(
    home: Home, webhook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTIFY_VARIABLE, webhook.url)
    monkeypatch.setenv(HOME_VARIABLE, str(home.root))
    home.config.mkdir()
    (home.config / "settings.csv").write_text("key,value\nsmall_sampel,3\n")
    ended = metric_store("run", "--home", home.root)
    assert (ended.status, "small_sampel" in ended.err) == (1, True)
    assert "small_sampel" in webhook.came[0]["message"]
    at = datetime.fromisoformat("2026-02-02T03:00:00+00:00")
    with pytest.raises(MetricStoreError):
        monday_0300_utc(dagster.build_schedule_context(scheduled_execution_time=at))
    assert len(webhook.came) == 1, "the same"


def test_a_run_that_dagster_launched_and_that_failed_is_told(
    home: Home, webhook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTIFY_VARIABLE, webhook.url)
    monkeypatch.setenv(HOME_VARIABLE, str(home.root))

    @dagster.op
    def fails() -> None:
        raise MetricStoreError("The build failed: model x in y.sql.")

    @dagster.job
    def weekly_run() -> None:
        fails()

    with DagsterInstance.ephemeral() as instance:
        result = weekly_run.execute_in_process(
            instance=instance, raise_on_error=False, tags={"dagster/partition": "2026-01-05"}
        )
        context = dagster.build_run_status_sensor_context(
            "failed_run_notice", result.get_run_failure_event(), instance, result.dagster_run
        ).for_run_failure()
        failed_run_notice(context)
    [came] = webhook.came
    assert came["message"].splitlines()[0] == "Failed: the run of 2026-01-05: The build failed: model x in y.sql."


def test_without_targets_there_is_no_such_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NOTIFY_VARIABLE, raising=False)
    without = build_definitions()
    monkeypatch.setenv(NOTIFY_VARIABLE, "json://127.0.0.1")
    those = build_definitions()
    added = {spec.key for spec in those.resolve_all_asset_specs()} - {
        spec.key for spec in without.resolve_all_asset_specs()
    }
    assert added == {NOTICE}
    Definitions.validate_loadable(those)
    assert those.resolve_asset_graph().get(NOTICE).parent_keys == {AssetKey("report")}
    assert NOTICE in those.resolve_job_def("weekly_run").asset_layer.executable_asset_keys
    assert failed_run_notice in those.sensors
    assert failed_run_notice not in without.sensors
    assert failed_run_notice.default_status == DefaultSensorStatus.RUNNING


def test_targets_are_parted_by_blanks_and_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NOTIFY_VARIABLE, " mailto://u:p@h?to=a@x,b@x,json://h/1\n  slack://t\tjson://h/2, ")
    assert targets() == ["mailto://u:p@h?to=a@x,b@x", "json://h/1", "slack://t", "json://h/2"]
