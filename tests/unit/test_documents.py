"""What documents list is there."""

from __future__ import annotations

import re

from orchestration.home.layout import Home
from orchestration.publication.tables import PUBLICATION, RESTATEMENT, mart_tables
from orchestration.transform.project import manifest_path
from tests.conftest import PROJECT


def test_every_published_table_is_in_the_data_model() -> None:
    page = (PROJECT / "docs" / "data-model.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|", page.split("## Published tables")[1].split("\n## ")[0], re.MULTILINE)
    published = [table.name for table in (*mart_tables(manifest_path(Home.of())), PUBLICATION, RESTATEMENT)]
    assert sorted(listed) == sorted(published)
