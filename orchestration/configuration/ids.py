"""The names that configuration files may use, because models and rules of those names exist: those of the registry."""

from dbt_project.registry import registry

METRICS = registry().metric_ids
# A catalogue may leave these out: then they aren't described, and the gate doesn't judge them.
READINESS_METRICS = tuple(metric.id for metric in registry().of_family("readiness"))
GRADE_METRICS = tuple(metric.id for metric in registry().of_family("seller_grade"))
PERIOD_KPIS = tuple(metric.id for metric in registry().metrics if metric.period and metric.period.is_configured)
FAMILIES = tuple(family.id for family in registry().metric_families)
GATE_RULES = registry().rule_ids
SOURCES = tuple(source.id for source in registry().sources)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
