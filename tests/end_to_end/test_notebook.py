"""docs/notebook.ipynb: its cells run, one after the other, on a home that was published."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT


def test_the_notebook_runs(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRIC_STORE_HOME", str(sample_home))
    cells = json.loads((PROJECT / "docs" / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for cell in cells:
            if cell["cell_type"] == "code":
                exec("".join(cell["source"]), names)
    assert len(names["weeks"]) == 3
    for name in ("ratio", "added", "catalogue", "failures", "seller", "segments"):
        assert len(names[name]) > 0, name
