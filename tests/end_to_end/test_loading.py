"""What loading the code location does, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from orchestration.home.layout import Home
from orchestration.transform.project import manifest_path


@pytest.fixture(scope="module")
def loading(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What importing the code location does, in a process of its own."""
    manifest_path(Home.of())
    code = """
        import json, sys
        touched = []
        def hook(event, arguments):
            network = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")
            if event in (*network, "sqlite3.connect"):
                touched.append(event + repr(arguments))
            if event == "subprocess.Popen" and arguments[0] != "file":  # platform.architecture() asks that of Python
                touched.append(event + repr(arguments[:2]))
        sys.addaudithook(hook)
        import duckdb
        connect = duckdb.connect
        def watched(*arguments, **options):
            touched.append("duckdb.connect" + repr(arguments))
            return connect(*arguments, **options)
        duckdb.connect = watched
        import orchestration.definitions
        print(json.dumps({"touched": touched, "modules": sorted(sys.modules)}))
    """
    empty = tmp_path_factory.mktemp("nowhere")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("METRIC_STORE_HOME", "DAGSTER_HOME")
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=empty,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert list(empty.iterdir()) == [], "loading the code location writes nothing"
    return json.loads(done.stdout.splitlines()[-1])


def test_loading_contacts_nothing_and_opens_no_database(loading: dict[str, list[str]]) -> None:
    assert loading["touched"] == []


def test_loading_leaves_great_expectations_alone(loading: dict[str, list[str]]) -> None:
    """Its seconds are spent by a run, while files land."""
    assert "dagster_dbt" in loading["modules"]
    assert not [name for name in loading["modules"] if name.split(".")[0] == "great_expectations"]
