"""The registry of sources, metrics and rules, `vars` of dbt_project.yml, read and checked.

SQL reads the same entries through dbt's `var`. Texts, names and bounds of metrics are configuration
(metric_catalog.csv), as are severity and bounds of rules (gate_rules.csv).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

PROJECT_DIR = Path(__file__).resolve().parent

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
SourceProperty = Literal["event_time", "has_seller", "has_request_id", "is_vital", "marks_backwards"]
#: `sum`: numerators and denominators of several weeks add up. Otherwise why they don't.
Total = Literal["sum", "distinct_count", "stock", "maximum", "overlapping_periods", "not_counted"]


def _days(value: object) -> object:
    if value == "all" or (isinstance(value, int) and value > 0 and value % 7 == 0):
        return value
    raise ValueError("give days, a multiple of 7, or all")


LooksBack = Annotated[Literal["all"] | int, BeforeValidator(_days)]


class RegistryError(Exception):
    """The registry is not as it should be; each line names the entry and the field."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Id


class Source(_Entry):
    """A source, as the gate's rules count it.

    event_time: the column that puts a record into a week; without one, the ingestion of its file does.
    relation: the staging model that holds its records.
    version_of: what the rows of that model are versions of, where it holds more than the newest one.
    has_seller, has_request_id: whether a record names a seller, may name a request.
    is_vital: whether a week without a day of it is not to be trusted.
    marks_backwards: whether the staging model marks records whose timestamps run backwards.
    """

    event_time: Id | None = None
    relation: Id | None = None
    version_of: Id | None = None
    has_seller: bool = False
    has_request_id: bool = False
    is_vital: bool = False
    marks_backwards: bool = False


class Family(_Entry):
    """Metrics of one published table.

    table: that table; readiness has one for each subject.
    metric_column: the column that names the metric of a row; None: each metric has its own columns.
    evidence: the model that holds what counts against a metric of the family.
    """

    table: Id | None = None
    metric_column: Id | None = None
    evidence: Id | None = None


class Period(BaseModel):
    """The period of a KPI: the items that `dated_by` puts into the `days` that end `ends_days_before` A.

    is_configured: `days` is the default of kpi_periods.csv.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    dated_by: Id
    days: Annotated[int, Field(ge=1)]
    ends_days_before: Annotated[int, Field(ge=0)] = 0
    is_configured: bool = False


class Evidence(BaseModel):
    """What counts against a metric. unit: of what a row is one; the others are columns of the item-level model:

    happened_at: the timestamp that decided; due_at: the deadline, or limit: the working time until it, in microseconds;
    detail: the reason.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    unit: Literal["sub_order", "order"]
    happened_at: Id | None = None
    due_at: Id | None = None
    limit: Id | None = None
    detail: Id | None = None


class Metric(_Entry):
    """A metric or KPI.

    formula: `model.column` of its SQL: where it is counted, what is counted, and the figure that is made of it.
    relation, numerator, denominator: what counts it, and its columns there: a relation of int_brand_measures_week or
        int_seller_grade_metrics_week; without a relation, columns of its published table. No denominator: a count.
    interval: whether the numerator is part of the denominator, so that an interval means something.
    overall: the member that stands for all; dimensions: those it has besides.
    table, value: the published table, where the family has none, and the column of its value, where it has its own.
    sources: what it reads: a brand metric has no rows where one of them never had a file.
    decided_by: optional columns of sources, `source.column`, without which it isn't measured.
    looks_back: how many days before the start of a week it looks, beyond the week; `all`: however far.
    period: of a KPI, which says how far it looks back. needs_setting: the seller's setting without which it has no row.
    total: whether several weeks add up to one figure. headline: its place on the first screen of the report.
    """

    family: Id
    formula: Annotated[list[ColumnName], Field(min_length=1)]
    relation: Id | None = None
    numerator: str | None = None
    denominator: str | None = None
    interval: bool = False
    overall: Id | None = None
    dimensions: list[Id] = []
    table: Id | None = None
    value: Id | None = None
    sources: Annotated[list[Id], Field(min_length=1)]
    decided_by: list[ColumnName] = []
    looks_back: LooksBack | None = None
    period: Period | None = None
    needs_setting: Id | None = None
    evidence: Evidence | None = None
    total: Total
    headline: Annotated[int, Field(ge=1)] | None = None

    @property
    def is_rate(self) -> bool:
        return self.denominator is not None

    @property
    def reach(self) -> int | None:
        """How many days before the start of a week it looks; None: however far."""
        if self.looks_back == "all" or (self.period and self.period.is_configured):
            return None
        return self.period.days + self.period.ends_days_before if self.period else self.looks_back or 0

    @model_validator(mode="after")
    def _fits(self) -> Metric:
        others = {name.split(".")[0] for name in self.decided_by} - set(self.sources)
        if others:
            raise ValueError(f"decided_by: {', '.join(sorted(others))} is none of its sources")
        if self.interval and not self.is_rate:
            raise ValueError("interval: a count has none; leave it out, or give a denominator")
        if self.period and self.looks_back:
            raise ValueError("looks_back: the period says it; leave it out")
        if self.total == "sum" and self.numerator is None:
            raise ValueError("total: there is no numerator to add up")
        return self


class Rule(_Entry):
    """A rule of the gate, which the model `dq_<id>` observes.

    scope: what its rows are of. `all` and `source` are required of every week by themselves; for another scope,
        gate_required_scopes says what is.
    of: the sources of a rule of scope `source`, by a property of theirs; all without one.
    needs: sources without which there is nothing to judge. metric: the metric it judges, required where that has rows.
    looks_back: how many days before the start of the week it looks for what is usual.
    """

    scope: Literal["all", "source", "oms_client", "metric", "flow", "system", "table"]
    of: SourceProperty | None = None
    needs: list[Id] = []
    metric: Id | None = None
    looks_back: Annotated[int, Field(ge=7, multiple_of=7)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        if self.of and self.scope != "source":
            raise ValueError("of: only a rule of scope source has one")
        return self


def _unique(entries: list[Any]) -> list[Any]:
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice:
        raise ValueError(f"{', '.join(sorted(map(str, twice)))} is there twice; keep one of the entries")
    return entries


class Registry(BaseModel):
    """All entries, in the order of the file."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    sources: Annotated[list[Source], BeforeValidator(_unique)]
    metric_families: Annotated[list[Family], BeforeValidator(_unique)]
    metrics: Annotated[list[Metric], BeforeValidator(_unique)]
    rules: Annotated[list[Rule], BeforeValidator(_unique)]

    @model_validator(mode="after")
    def _refers_to_entries(self) -> Registry:
        sources, metrics, families = _ids(self.sources), _ids(self.metrics), _ids(self.metric_families)
        for metric in self.metrics:
            _refers("metrics", metric.id, "family", [metric.family], families)
            _refers("metrics", metric.id, "sources", metric.sources, sources)
        for rule in self.rules:
            _refers("rules", rule.id, "needs", rule.needs, sources)
            _refers("rules", rule.id, "metric", [rule.metric] if rule.metric else [], metrics)
        return self

    @property
    def metric_ids(self) -> tuple[str, ...]:
        return tuple(metric.id for metric in self.metrics)

    @property
    def rule_ids(self) -> tuple[str, ...]:
        return tuple(rule.id for rule in self.rules)

    @property
    def headlines(self) -> tuple[str, ...]:
        """The metrics of the first screen, in their order."""
        first = sorted((metric.headline, metric.id) for metric in self.metrics if metric.headline)
        return tuple(metric_id for _, metric_id in first)

    def metric(self, metric_id: str) -> Metric:
        return next(metric for metric in self.metrics if metric.id == metric_id)

    def of_family(self, *families: str) -> tuple[Metric, ...]:
        """The metrics of these families."""
        return tuple(metric for metric in self.metrics if metric.family in families)

    def looks_back(self, source_id: str, but_for: str = "") -> int | None:
        """How many days before the start of a week its figures and rules still look at a source; None: however far.

        but_for: a metric that is left out.
        """
        source = next(source for source in self.sources if source.id == source_id)
        reaches = [m.reach for m in self.metrics if source_id in m.sources and m.id != but_for]
        # what belongs to no week holds from when it was said until something else is
        if source.event_time is None or None in reaches:
            return None
        looked_at = [
            rule.looks_back or 0
            for rule in self.rules
            if source_id in rule.needs or (rule.scope == "source" and (rule.of is None or getattr(source, rule.of)))
        ]
        return max([reach for reach in reaches if reach is not None] + looked_at, default=0)


@cache
def registry() -> Registry:
    """The registry of this project."""
    return read_registry(PROJECT_DIR)


def read_registry(project_dir: Path) -> Registry:
    """The registry of a dbt project. Raises RegistryError with a line for each thing that is wrong."""
    path = project_dir / "dbt_project.yml"
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))["vars"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise RegistryError(f"{path.name}: can't be read as YAML with `vars`: {error}") from error
    try:
        return Registry.model_validate(entries)
    except ValidationError as error:
        raise RegistryError(
            "\n".join(f"{path.name}: {_told(problem, entries)}" for problem in error.errors())
        ) from None


def formula_places(project_dir: Path, metrics: Iterable[Metric]) -> dict[str, list[str]]:
    """metric_id -> `path:line` of each of its formulas, as the macro of this name finds them for dim_metric.

    The line is the last one of the model that has `as column`. Raises RegistryError where there is none.
    """
    models = {path.stem: path for path in (project_dir / "models").rglob("*.sql")}
    places: dict[str, list[str]] = {}
    for metric in metrics:
        for formula in metric.formula:
            model, column = formula.split(".")
            text = models[model].read_text(encoding="utf-8").split("\n") if model in models else []
            lines = [number for number, line in enumerate(text, 1) if re.search(rf"\bas {column}\b", line)]
            if not lines:
                raise RegistryError(f"metrics, {metric.id}, formula: no line of {model} has `as {column}`")
            path = models[model].relative_to(project_dir).as_posix()
            places.setdefault(metric.id, []).append(f"{path}:{lines[-1]}")
    return places


def _told(problem: Any, entries: Any) -> str:
    """`metrics, o2d_ratio, total: what is wrong`: the entry by its id, where it has one."""
    place: list[str] = []
    within = entries
    for part in problem["loc"]:
        try:
            within = within[part]
        except (LookupError, TypeError):
            within = None
        named = isinstance(part, int) and len(place) == 1 and isinstance(within, dict)
        place.append(str(within.get("id", f"entry {part + 1}")) if named else str(part))
    message = problem["msg"].removeprefix("Value error, ")
    given = problem["input"]
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{', '.join(place)}: {message}{shown}" if place else f"{message}"


def _ids(entries: Iterable[_Entry]) -> set[str]:
    return {entry.id for entry in entries}


def _refers(part: str, entry: str, field: str, names: Iterable[str], known: set[str]) -> None:
    unknown = sorted(set(names) - known)
    if unknown:
        raise ValueError(f"{part}, {entry}, {field}: there is no {', '.join(unknown)}")
