"""Ids and names that are SQL, markup, formulas, paths and patterns change no figure, and get nowhere but into texts."""

from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from metric_store.reading import open_store
from orchestration.sample import generator
from orchestration.sample.files import Inbox
from tests.conftest import SAMPLE_WEEKS, Ended, evidence_of, metric_store, run, small_sample

#: What stands before an id: always the same before those whose order decides between equals.
_BEFORE = (
    "'; drop schema marts cascade; --",
    "\"); copy (select 1) to 'x'; --",
    "<script>alert(1)</script>",
    "../../../../",
    "=cmd|' /C calc'!A0",
    "*?[a-z]{a,b}$HOME`id`%2e\\",
    "{{ 1 / 0 }}{% raw %}${x}",
    "a\nb\r\nc\td\u2028e\u202ef",
    "Điện tử 🚚 e\u0301",
    "l" * 300,
)
_ORDERED = ("log_id", "request_id", "sub_order_id", "order_id", "sku_id", "package_id", "ticket_id", "document_id")
_UNORDERED = ("seller_id", "seller_name", "brand_id", "brand_name", "oms_client", "topic", "retry_reason", "claim_type")


class HostileInbox(Inbox):
    """The inbox of the sample, with other ids; `meant` has the sample's own by them."""

    meant: ClassVar[dict[str, str]] = {}

    def write(self, source: str, name: str, table: pa.Table, **options: Any) -> None:
        """Write the table with the ids and names replaced."""
        for place, column in enumerate(table.column_names):
            if column in (*_ORDERED, *_UNORDERED):
                encoded = table[column].combine_chunks().dictionary_encode()
                others = [self._other(column, value) for value in encoded.dictionary.to_pylist()]
                replaced = pa.DictionaryArray.from_arrays(encoded.indices, pa.array(others, pa.string()))
                table = table.set_column(place, column, replaced.cast(pa.string()))
        super().write(source, name, table, **options)

    def _other(self, column: str, value: str) -> str:
        variant = 0 if column in _ORDERED else zlib.crc32(value.encode()) % len(_BEFORE)
        other = _BEFORE[variant] + value
        self.meant[other] = value
        return other


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """The sample home with hostile ids and a name like them, after its run."""
    home = tmp_path_factory.mktemp("hostile") / 'a home\'s "name"; drop -- [x]* {a} {{ 1 / 0 }} $HOME 🚚'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "Inbox", HostileInbox)
        small_sample(home)
    return home, run(home)


def figures(home: Path, meant: dict[str, str]) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every published row, ids as they are meant; without what tells of the build and of the gate's words."""
    with open_store(home / "published" / "metric_store.duckdb") as store:
        names = [row[0] for row in store.execute("select table_name from duckdb_tables() order by 1").fetchall()]
        rows = {name: store.execute(f"from marts.{name}").fetchall() for name in names if name != "publication"}
    rows["evidence"] = [row for found in evidence_of(home).values() for row in found]
    rows["fct_data_quality_week"] = [row[:-1] for row in rows["fct_data_quality_week"]]
    return {
        name: Counter(tuple(_as_meant(cell, meant) for cell in row) for row in found) for name, found in rows.items()
    }


def _as_meant(cell: Any, meant: dict[str, str]) -> Any:
    if not isinstance(cell, str):
        return cell
    flow, slash, scope = cell.partition("/")
    return meant.get(cell) or (f"{flow}/{meant[scope]}" if slash and scope in meant else cell)


def test_the_run_ends_well(hostile: tuple[Path, Ended]) -> None:
    home, ended = hostile
    assert ended.status == 0, ended.text
    assert "Traceback" not in ended.text
    assert list(home.parent.iterdir()) == [home]


def test_the_figures_are_those_of_harmless_ids(hostile: tuple[Path, Ended], sample_home: Path) -> None:
    others, ours = figures(hostile[0], HostileInbox.meant), figures(sample_home, {})
    assert others.keys() == ours.keys()
    for name in ours:
        assert others[name] == ours[name], name
    assert len(set(HostileInbox.meant.values())) > 1000


def test_pages_hold_no_markup_of_the_data(hostile: tuple[Path, Ended]) -> None:
    pages = [*(hostile[0] / "reports").rglob("*.html"), *(hostile[0] / "data_docs").rglob("*.html")]
    assert len(pages) > 10
    assert not [page for page in pages if "<script>alert" in page.read_text()]
    assert any("&lt;script&gt;alert" in page.read_text() for page in pages)


def test_commands_show_them(hostile: tuple[Path, Ended]) -> None:
    for arguments in (
        ("status",),
        ("metric", "null_request_id_rate", "--by", "oms_client", "--csv"),
        ("metric", "cancellation_rate", "--by", "seller_id", "--csv"),
        ("why", "null_request_id_rate", "--week", SAMPLE_WEEKS[1]),
        ("rehearse", "--factor", "2", "--weeks", SAMPLE_WEEKS[0]),
    ):
        ended = metric_store(*arguments, "--home", hostile[0])
        assert ended.status == 0, ended.text
        assert "\x1b" not in ended.out
        if "--csv" in arguments:
            assert not [line for line in ended.out.splitlines() if line.startswith("=") or ",=" in line]
