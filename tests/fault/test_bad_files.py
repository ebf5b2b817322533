"""Files that can't be read, or whose records are wrong: the run withholds what they concern, and says what to mend.

A home goes through one story, told by a fixture; the tests say what must be true of it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.ingest.ledger import Ledger
from orchestration.sample import write_sample
from tests.conftest import SAMPLE_WEEKS, Ended, metric_store, published_tables, query, run

WEEK_2, WEEK_4 = SAMPLE_WEEKS[1], "2026-01-26"


def state(home: Path) -> dict:
    return json.loads(metric_store("status", "--home", home, "--json").out)


@dataclass
class Faulty:
    """A published home that got bad files beside good ones, and was mended afterwards."""

    home: Path
    first: Ended
    before: dict[str, list[tuple]]
    after_first: dict[str, list[tuple]]
    state_after_first: dict
    again: Ended
    second: Ended
    waived: Ended
    metric_waived: Ended
    store_waived: dict[str, list[tuple]]
    withheld_again: Ended


def week_4_files(home: Path, folder: Path) -> list[Path]:
    """Put the files of one more week into the inbox; returns them."""
    write_sample(folder, weeks=4, sellers=12, orders_per_week=150, seed=11)
    added = []
    for file in sorted((folder / "inbox").rglob("*")):
        target = home / "inbox" / file.relative_to(folder / "inbox")
        if file.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
            added.append(target)
    return added


def log_lines(home: Path, day: str, prefix: str, count: int, change: Callable[[int, dict], None]) -> str:
    client, seller = query(
        home, "select min(oms_client), min(seller_id) from marts.dim_seller where oms_client is not null"
    )[0]
    lines = []
    for number in range(count):
        log = {
            "log_id": f"{prefix}-{number}",
            "logged_at": f"{day}T10:00:{number % 60:02d}Z",
            "event_name": "polling_event",
            "oms_client": client,
            "seller_id": seller,
            "channel": "oms",
            "call_status": "success",
            "attempt": 1,
        }
        change(number, log)
        lines.append(json.dumps(log))
    return "\n".join(lines) + "\n"


def one_request(number: int, log: dict) -> None:
    log |= {"request_id": "HUGE", "sub_order_id": f"SO-HUGE-{number}", "order_id": f"O-HUGE-{number}"}


def spoil(number: int, log: dict) -> None:
    log["call_status"] = "perhaps"


@pytest.fixture(scope="module")
def faulty(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    """A new week with a truncated file, one without a required column and a bad record; a published one that would
    come out with a request of 250 sub-orders. Then the files are mended, the request is waived, and later no more.
    """
    folder = tmp_path_factory.mktemp("faulty")
    home = folder / "home"
    shutil.copytree(sample_home, home)
    before = published_tables(home, "publication")
    added = week_4_files(home, folder / "more")
    (home / "config").mkdir()
    (home / "config" / "owners.csv").write_text(
        "source_or_rule,owner\nproducts,catalogue team\nsub_orders_per_request,oms desk\n"
    )
    [products] = [file for file in added if file.parent.name == "products"]
    whole = products.read_bytes()
    products.write_bytes(whole[: len(whole) * 2 // 3])
    no_key = home / "inbox" / "claims" / "no-key.csv"
    no_key.write_text("seller_id,raised_at\nS1,2026-01-27T00:00:00Z\n")
    logs = home / "inbox" / "oms_logs"
    (logs / "bad-record.jsonl").write_text(log_lines(home, WEEK_4, "BAD", 1, spoil))
    (logs / "huge-request.jsonl").write_text(log_lines(home, "2026-01-14", "HUGE", 250, one_request))

    first = run(home)
    after_first, state_after_first = published_tables(home, "publication"), state(home)
    again = run(home)

    products.write_bytes(whole)
    no_key.rename(folder / "no-key.csv")
    second = run(home)

    waivers = home / "config" / "gate_waivers.csv"
    line = re.search(r"add to config/gate_waivers\.csv: (restatement_size,\S+,REASON,NAME,VALID_UNTIL)", first.out)
    assert line, first.out
    as_printed = line[1].replace("REASON", "they came late").replace("NAME", "jo").replace("VALID_UNTIL", "2999-12-31")
    waivers.write_text(
        "rule_id,scope,week_start,reason,approved_by,valid_until\n"
        "sub_orders_per_request,all,2026-01-12,one load test of the client,jo@example.com,2999-12-31\n"
        "sub_orders_per_request,all,2026-01-05,never needed,jo@example.com,2999-12-31\n"
        f"{as_printed}\n"
    )
    waived = run(home)
    metric_waived = metric_store("metric", "o2d_ratio", "--home", home, "--csv")
    store_waived = published_tables(home, "publication")
    waivers.write_text(waivers.read_text().replace("2999-12-31", "2026-01-31"))
    withheld_again = run(home, WEEK_2)
    return Faulty(
        home,
        first,
        before,
        after_first,
        state_after_first,
        again,
        second,
        waived,
        metric_waived,
        store_waived,
        withheld_again,
    )


def of_weeks(rows: dict[str, list[tuple]], *weeks: str) -> dict[str, list[tuple]]:
    """Rows of weekly tables of these weeks, by the first column."""
    return {
        name: [row for row in lines if str(row[0]) in weeks]
        for name, lines in rows.items()
        if name.endswith("_week") and name not in ("fct_data_quality_week", "fct_gate_waiver_week")
    }


class TestBadFiles:
    def test_new_weeks_are_withheld_and_the_run_says_which_files_to_mend(self, faulty: Faulty) -> None:
        assert faulty.first.status == 3, faulty.first.text
        unreadable = [line for line in faulty.first.err.splitlines() if line.startswith("Unreadable: ")]
        assert len(unreadable) == 2
        for place in ("inbox/products/2026-01-26.parquet", "inbox/claims/no-key.csv"):
            [line] = [line for line in unreadable if place in line]
            assert line.endswith("Correct it, or move it away.")
        [withheld] = [line for line in faulty.first.out.splitlines() if line.startswith(f"Withheld {WEEK_4}: ")]
        assert "files_readable" in withheld
        assert "products" in withheld
        assert "Traceback" not in faulty.first.err

    def test_good_files_land_all_the_same(self, faulty: Faulty) -> None:
        with Ledger(faulty.home / "landing" / "ledger.sqlite", read_only=True) as ledger:
            paths = {(row["source"], row["path"]): row["landed"] for row in ledger.files()}
        assert paths["oms_logs", "2026-01/2026-01-27.parquet"] > 0
        assert paths["seller_orders", "2026-01-26-placed.csv.gz"] > 0
        assert {week["week_start"] for week in faulty.state_after_first["weeks"]} >= {WEEK_4}

    def test_a_withheld_restatement_leaves_what_is_published(self, faulty: Faulty) -> None:
        [withheld] = [line for line in faulty.first.out.splitlines() if line.startswith("Withheld 2026-01-12: ")]
        assert "sub_orders_per_request is 250, outside 0 to 200" in withheld
        weeks = {week["week_start"]: week for week in faulty.state_after_first["weeks"]}
        assert weeks[WEEK_2]["blocked_by"] == ["restatement_size", "sub_orders_per_request"]
        assert weeks[WEEK_2]["blocked_because"] == withheld.removeprefix("Withheld 2026-01-12: ")
        assert weeks[WEEK_2]["published"]
        assert weeks[WEEK_2]["due_for_restatement"]
        kept, was = of_weeks(faulty.after_first, *SAMPLE_WEEKS[:2]), of_weeks(faulty.before, *SAMPLE_WEEKS[:2])
        assert sum(map(len, was.values())) > 100
        for name in was:
            assert kept[name] == was[name], name
        assert not of_weeks(faulty.after_first, WEEK_4)["fct_metric_week"]

    def test_a_large_restatement_says_which_rate_would_move(self, faulty: Faulty) -> None:
        said = re.search(r"restatement_size is .*?(\w+) would go from (\S+) to (\S+)", faulty.first.out)
        assert said, faulty.first.out
        metric, *values = said.groups()
        for store, value in zip((faulty.before, faulty.store_waived), values, strict=True):
            figures = [
                row for row in store["fct_metric_week"] if (str(row[0]), *row[1:3]) == (WEEK_2, metric, "overall")
            ]
            assert [str(row[6]) for row in figures] == [value.rstrip(",;.")]

    def test_status_says_it_too(self, faulty: Faulty) -> None:
        found = faulty.state_after_first
        assert {(file["source"], file["path"]) for file in found["failed_files"]} == {
            ("products", "2026-01-26.parquet"),
            ("claims", "no-key.csv"),
        }
        assert all(file["error"] for file in found["failed_files"])
        [week] = [week for week in found["weeks"] if week["week_start"] == WEEK_4]
        assert (week["published"], week["blocked_by"]) == (False, ["files_readable"])

    def test_status_says_who_must_act(self, faulty: Faulty) -> None:
        """The owner of the source that failed the rule, else of the rule."""
        found = faulty.state_after_first
        acting = {week["week_start"]: week["who_acts"] for week in found["weeks"] if week["who_acts"]}
        assert acting == {WEEK_2: ["oms desk"], WEEK_4: ["catalogue team"]}
        assert {file["source"]: file["owner"] for file in found["failed_files"]} == {
            "products": "catalogue team",
            "claims": None,
        }
        said = metric_store("status", "--home", faulty.home).out
        assert "Who must act on 2026-01-12: oms desk" in said.splitlines()
        assert any(
            line.startswith("Restatement of 2026-01-12: sub_orders_per_request is 250") for line in said.splitlines()
        )

    def test_what_is_withheld_as_it_is_is_not_tried_again(self, faulty: Faulty) -> None:
        assert faulty.again.status == 0
        assert faulty.again.out.startswith("Nothing to do: 3 weeks are published as they are; withheld as before: ")
        assert WEEK_4 in faulty.again.out
        assert "Unreadable: inbox/products/2026-01-26.parquet" in faulty.again.err

    def test_mended_files_let_the_week_through(self, faulty: Faulty) -> None:
        assert faulty.second.status == 0, faulty.second.text
        assert WEEK_4 in faulty.second.out
        assert "Unreadable" not in faulty.second.err
        assert WEEK_2 not in faulty.second.out, "nothing has mended that"
        weeks = {week["week_start"]: week for week in state(faulty.home)["weeks"]}
        assert weeks[WEEK_4]["published"]
        assert weeks[WEEK_4]["blocked_by"] == []

    def test_a_waiver_lets_the_week_through_and_is_shown(self, faulty: Faulty) -> None:
        assert faulty.waived.status == 0, faulty.waived.text
        waivers = (
            "restatement_size, by jo: they came late; "
            "sub_orders_per_request, by jo@example.com: one load test of the client"
        )
        assert f"Waived in 2026-01-12: {waivers}" in faulty.waived.out.splitlines()
        assert faulty.metric_waived.err.splitlines() == [f"2026-01-12 is published with a waiver: {waivers}"]
        assert {str(row[0]) for row in faulty.store_waived["fct_gate_waiver_week"]} == {WEEK_2}
        [(passed, message)] = [
            (row[4], row[8])
            for row in faulty.store_waived["fct_data_quality_week"]
            if (str(row[0]), row[1]) == (WEEK_2, "sub_orders_per_request")
        ]
        assert not passed
        assert message.endswith("; waived until 2999-12-31 by jo@example.com: one load test of the client")
        was, now = of_weeks(faulty.after_first, WEEK_2), of_weeks(faulty.store_waived, WEEK_2)
        assert was["fct_null_request_id_week"] != now["fct_null_request_id_week"], "the figures are the new build's"

    def test_late_records_restate_their_week_only_by_a_new_build(self, faulty: Faulty) -> None:
        """Published once more, with what was and what is; no other week is restated."""
        changed = "select distinct week_start::varchar, cause from marts.fct_restatement"
        assert query(faulty.home, changed) == [(WEEK_2, "records,configuration")]
        [(old, new)] = query(
            faulty.home,
            "select old_value::bigint, new_value::bigint from marts.fct_restatement "
            "where table_name = 'fct_metric_week' and column_name = 'denominator' "
            "and key = 'metric_id=null_request_id_rate, dimension=overall, member=all'",
        )
        assert new == old + 250
        builds = "select week_start::varchar, count(*) from marts.publication{} group by 1 order by 1"
        weeks = [*SAMPLE_WEEKS, WEEK_4]
        assert query(faulty.home, builds.format(" where is_current")) == [(week, 1) for week in weeks]
        assert query(faulty.home, builds.format("")) == [(week, 1 + (week == WEEK_2)) for week in weeks]

    def test_a_waiver_that_has_ended_counts_for_no_build(self, faulty: Faulty) -> None:
        assert faulty.withheld_again.status == 3
        assert "Withheld 2026-01-12: sub_orders_per_request is 250" in faulty.withheld_again.out
        weeks = {week["week_start"]: week for week in state(faulty.home)["weeks"]}
        assert weeks[WEEK_2]["published"]
        assert weeks[WEEK_2]["blocked_by"] == ["sub_orders_per_request"]

    def test_what_let_a_build_through_stays_with_it(self, faulty: Faulty) -> None:
        """The published build still stands on the waiver that no longer counts for the next one."""
        weeks = {week["week_start"]: week for week in state(faulty.home)["weeks"]}
        waived = [waiver["rule_id"] for waiver in weeks[WEEK_2]["waived"]]
        assert waived == ["restatement_size", "sub_orders_per_request"]
        page = (faulty.home / "reports" / WEEK_2 / "index.html").read_text()
        assert "one load test of the client" in page

    def test_a_bad_record_is_quarantined_and_its_week_published(self, faulty: Faulty) -> None:
        assert state(faulty.home)["quarantine"]["oms_logs"] == {"not_in_set": 1}
        with duckdb.connect() as db:
            kept = db.execute(
                "select reason, columns, source_file, original "
                f"from read_parquet('{faulty.home}/quarantine/oms_logs/*.parquet')"
            ).fetchall()
        [(reason, column, file, original)] = kept
        assert (reason, column, file) == ("not_in_set", "call_status", "bad-record.jsonl")
        assert json.loads(original)["call_status"] == "perhaps"
        observed = query(
            faulty.home,
            f"select passed, observed > 0 from marts.fct_data_quality_week where week_start = '{WEEK_4}' "
            "and rule_id = 'quarantine_rate' and scope = 'oms_logs'",
        )
        assert observed == [(True, True)]
