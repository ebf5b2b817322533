"""The engines that can run the dbt project, and what each needs beyond dbt."""

from orchestration.engines.choice import ENGINE_VARIABLE, chosen_engine
from orchestration.engines.engine import Engine

__all__ = ["ENGINE_VARIABLE", "Engine", "chosen_engine"]
