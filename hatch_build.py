"""Parses the dbt project when the package is built, so that an installation has the parse and writes none."""

import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ParseDbtProject(BuildHookInterface):
    """Adds `dbt_project/target` to the wheel: its manifest, and what dbt goes on from."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable installation parses with `make`, and into a home where the project has changed since."""
        if version == "editable":
            return
        subprocess.run([sys.executable, "-m", "orchestration.transform.project"], cwd=self.root, check=True)
        for name in ("manifest.json", "parsed.txt", "partial_parse.msgpack"):
            build_data["force_include"][f"dbt_project/target/{name}"] = f"dbt_project/target/{name}"
