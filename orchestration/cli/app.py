"""The commands, their options and their error handling. The modules beside this one implement them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from metric_store.errors import MetricStoreError
from orchestration.errors import InterruptedRunError, UsageError
from orchestration.home.files import keep_from_others
from orchestration.home.layout import DEFAULT_HOME, HOME_VARIABLE, Home

EXIT_WITHHELD = 3

HOME_OPTION = click.option(
    "--home",
    type=click.Path(path_type=Path),
    help=f"Folder of the marketplace's files. Default: {HOME_VARIABLE}, then {DEFAULT_HOME}.",
)


def form_options(json_help: str, csv_help: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """--json and --csv, one of which may be given: the command's argument `form` is table, json or csv."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @click.option("--json", "as_json", is_flag=True, help=json_help)
        @click.option("--csv", "as_csv", is_flag=True, help=csv_help)
        @wraps(command)
        def with_form(*arguments: Any, as_json: bool, as_csv: bool, **options: Any) -> None:
            if as_json and as_csv:
                raise click.UsageError("--json and --csv can't both be given: choose one.")
            command(*arguments, form="json" if as_json else "csv" if as_csv else "table", **options)

        return with_form

    return decorate


class _Group(click.Group):
    """Turns errors into one or two lines and the exit status of the specification; a traceback only with --debug."""

    def main(self, *args: Any, **extra: Any) -> Any:
        try:
            sys.exit(super().main(*args, **{**extra, "standalone_mode": False}))
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else self.name
            _end(f"{error.format_message()}\nSee {command} --help.", error.exit_code)
        except click.ClickException as error:
            _end(error.format_message(), error.exit_code)
        except click.Abort:  # what Click makes of Ctrl-C
            _end(str(InterruptedRunError()), 1)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            if isinstance(error, BrokenPipeError):  # the reader of our output has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(1)
            if isinstance(error, MetricStoreError):
                _end(str(error), 2 if isinstance(error, UsageError) else 1)
            if isinstance(error, OSError):
                _end(f"{error.strerror}: {error.filename}" if error.filename else str(error), 1)
            said = next(iter(str(error).splitlines()), "no reason given")
            _end(
                f"unexpected error, please report it: {type(error).__name__}: {said}\n"
                "Run again with metric-store --debug to see where.",
                1,
            )


def _end(text: str, status: int) -> NoReturn:
    click.echo(f"Error: {text}", err=True)
    sys.exit(status)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="brand-experience-metric-store")
def main(debug: bool) -> None:
    """Weekly brand and seller figures of a marketplace."""
    keep_from_others()


@main.command()
@HOME_OPTION
@click.option("--weeks", default=6, show_default=True, type=click.IntRange(min=1), help="How many weeks.")
@click.option("--start", help="First week, by its Monday.  [default: 2026-01-05]")
@click.option("--sellers", default=200, show_default=True, type=click.IntRange(min=1), help="How many sellers.")
@click.option(
    "--orders-per-week", default=5000, show_default=True, type=click.IntRange(min=1), help="How many orders a week."
)
@click.option("--seed", default=7, show_default=True, help="The same arguments give the same bytes.")
@click.option(
    "--scenario",
    default="normal",
    show_default=True,
    help="normal; holiday: a season up to its peak; poison: weeks that the gate objects to; or august: a month of "
    "237,642,097 log records.",
)
@click.option(
    "--poison",
    metavar="RULE",
    help="Of poison: the rule of the gate that the last week trips.  [default: each week another one]",
)
@click.option("--scale", default=1.0, show_default=True, help="Of august: the part of its size, from 0.002 on.")
@click.pass_context
def sample(context: click.Context, /, home: Path | None, start: str | None, **options: Any) -> None:
    """Write synthetic raw files into the inbox."""
    from orchestration.cli.sample import write
    from orchestration.weeks.names import parse_week

    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    write(Home.of(home).require_writable(), parse_week(start) if start else None, options, given)


@main.command()
@HOME_OPTION
@click.option(
    "--weeks", help="FIRST or FIRST..LAST, by their Mondays. Default: every complete week that is new or due."
)
@click.option("--memory-limit", help="Of the engine, such as 4GB or 50%. Default: a quarter of the machine's memory.")
@click.option("--threads", type=click.IntRange(min=1), help="Of the engine. Default: as many as there are cores.")
@click.option(
    "--new-calendar",
    is_flag=True,
    help="All published weeks, which --weeks names, follow another reporting_timezone or calculation_offset_hours.",
)
@click.option("--now", hidden=True, type=click.DateTime(), help="The time of ingestion, for tests.")
def run(
    home: Path | None,
    weeks: str | None,
    memory_limit: str | None,
    threads: int | None,
    new_calendar: bool,
    now: datetime | None,
) -> None:
    """Ingest, build, gate and publish.

    Ends with 0 when done, 1 when it failed, 2 for wrong usage, 3 when the gate withheld at least one week, or when a
    new file can't be read or had all of its records rejected.
    """
    from orchestration.weeks.names import parse_weeks

    requested = parse_weeks(weeks) if weeks is not None else None
    from orchestration.cli.run import run_weeks
    from orchestration.limits import EngineLimits
    from orchestration.notices.telling import failures_told

    if new_calendar and not requested:
        raise click.UsageError("--new-calendar needs --weeks: all published weeks, FIRST..LAST.")
    place, limits = Home.of(home).require().require_writable(), EngineLimits.of(memory_limit, threads)
    with failures_told(place, partial(click.echo, err=True)):
        is_well = run_weeks(place, requested, now, limits, new_calendar)
    if not is_well:
        sys.exit(EXIT_WITHHELD)


@main.command()
@HOME_OPTION
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--verbose", is_flag=True, help="With the configuration and the code that each published week is of.")
def status(home: Path | None, as_json: bool, verbose: bool) -> None:
    """Show each week: landed, published, blocked, due; files that wait or failed; failed runs; quarantine."""
    from orchestration.cli.status import show_status

    show_status(Home.of(home).require(), as_json, verbose)


@main.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@HOME_OPTION
@click.option("--all", "reads_all", is_flag=True, help="Read large files whole, not only their beginning.")
def check(sources: tuple[str, ...], home: Path | None, reads_all: bool) -> None:
    """Show what a run would do with the inbox and the adapters. Lands nothing.

    Reads the files of these sources, or of all, as if nothing had landed. Ends with 3 where nothing of a file would
    land.
    """
    from orchestration.cli.check import check as show

    if not show(Home.of(home).require(), sources, reads_all):
        sys.exit(EXIT_WITHHELD)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@HOME_OPTION
def forget(files: tuple[str, ...], home: Path | None) -> None:
    """Take back all that files or adapters brought.

    FILE is a path as status shows it, such as seller_orders/a.csv or adapters/sellers/shop.sql. The weeks that read it
    are due afterwards. A file that is still in the inbox isn't read again until it changes.
    """
    from orchestration.cli.forget import forget_files

    forget_files(Home.of(home).require().require_writable(), files)


@main.command()
@click.argument("metrics", nargs=-1, metavar="[METRIC...]")
@HOME_OPTION
@click.option("--weeks", "--week", help="FIRST or FIRST..LAST, by their Mondays. Default: all published weeks.")
@click.option(
    "--by",
    "dimension",
    help="A dimension of the metric, such as mall_segment; a wrong one names them. Default: overall.",
)
@click.option("--total", is_flag=True, help="Add the weeks up, where the metric allows it.")
@form_options("As JSON.", "As CSV.")
def metric(
    metrics: tuple[str, ...], home: Path | None, weeks: str | None, dimension: str | None, total: bool, form: str
) -> None:
    """Show published metrics; without one, the list of them.

    METRIC is an id of the catalogue, such as o2d_ratio, or cancellation_rate for a seller KPI.
    """
    from orchestration.cli.metric import show_metric, show_metrics
    from orchestration.weeks.names import parse_weeks

    if metrics:
        show_metric(
            Home.of(home).require(), metrics, parse_weeks(weeks) if weeks is not None else [], dimension, total, form
        )
    elif weeks or dimension or total:
        raise click.UsageError("--weeks, --by and --total need a METRIC.")
    else:
        show_metrics(Home.of(home).require(), form)


@main.command()
@HOME_OPTION
@click.option("--week", "--weeks", "weeks", required=True, help="FIRST or FIRST..LAST, by their Mondays.")
@click.option(
    "-o", "--output", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A name.xlsx."
)
def export(home: Path | None, weeks: str, file: Path) -> None:
    """Write published weeks into a workbook.

    Figures with change and signal, failures, latency, sellers, recovery, the gate's verdicts and the definitions.
    """
    from orchestration.cli.export import export as write
    from orchestration.weeks.names import parse_weeks

    write(Home.of(home).require(), parse_weeks(weeks), file)


@main.command()
@click.argument("metric_id", metavar="METRIC")
@HOME_OPTION
@click.option("--week", required=True, help="The week, by its Monday.")
def why(metric_id: str, home: Path | None, week: str) -> None:
    """Show what moved a figure against the week before.

    METRIC is a figure of all sellers, such as o2d_ratio: its change, whether it is a signal, and who brought it.
    """
    from orchestration.cli.why import show_why
    from orchestration.weeks.names import parse_week

    show_why(Home.of(home).require(), metric_id, parse_week(week))


@main.command()
@HOME_OPTION
@click.option("--seller", required=True, help="The seller's id.")
def recovery(home: Path | None, seller: str) -> None:
    """Show what stands against a seller in the newest published week, and until when.

    Of the order volume limit and the grade: what counts, how much of it is allowed, and what would bring it back.
    """
    from orchestration.cli.recovery import show_recovery

    show_recovery(Home.of(home).require(), seller)


@main.command()
@click.argument("metric_id", metavar="METRIC")
@HOME_OPTION
@click.option("--seller", required=True, help="The seller's id.")
@click.option("--week", required=True, help="The week, by its Monday.")
@form_options("As JSON.", "As CSV; a text that a spreadsheet could take for a formula gets a '.")
def evidence(metric_id: str, home: Path | None, seller: str, week: str, form: str) -> None:
    """Show the orders that count against a seller in a published metric.

    METRIC is an id of the catalogue, such as pending_to_shipped_48h_rate.
    """
    from orchestration.cli.evidence import show_evidence
    from orchestration.weeks.names import parse_week

    show_evidence(Home.of(home).require(), metric_id, seller, parse_week(week), form)


@main.command()
@HOME_OPTION
@click.option(
    "--config",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the configuration files to try; what it lacks is as in the home.",
)
@click.option("--weeks", required=True, help="FIRST or FIRST..LAST, by their Mondays; published weeks.")
@form_options("All rows and the summary as JSON.", "All rows as CSV; the summary goes to standard error.")
def simulate(home: Path | None, config: Path, weeks: str, form: str) -> None:
    """Show what other grades and limits sellers would have under another configuration.

    Computes published weeks anew beside the store. Publishes nothing, and runs beside a run.
    """
    from orchestration.weeks.names import parse_weeks

    requested = parse_weeks(weeks)
    from orchestration.cli.simulate import simulate as show

    show(Home.of(home).require(), config, requested, form)


@main.command()
@HOME_OPTION
@click.option(
    "--factor",
    required=True,
    type=click.FloatRange(min=0, min_open=True, max=1000),
    help="How many times the busiest hour is to be borne.",
)
@click.option("--weeks", help="FIRST or FIRST..LAST, by their Mondays; all published weeks otherwise.")
@form_options("As JSON; the verdict goes to standard error.", "As CSV; the verdict goes to standard error.")
def rehearse(home: Path | None, factor: float, weeks: str | None, form: str) -> None:
    """Tell which hop of which OMS client a peak would break first.

    Fits each hop as a queue to the published hours, and loads it with a multiple of the busiest one.
    """
    from orchestration.cli.rehearse import show_rehearsal
    from orchestration.weeks.names import parse_weeks

    show_rehearsal(Home.of(home).require(), factor, parse_weeks(weeks) if weeks is not None else None, form)


@main.command()
@HOME_OPTION
@click.option(
    "--to",
    required=True,
    envvar="METRIC_STORE_COPY_TO",
    metavar="postgresql://...|FOLDER",
    help="A database, or a folder. Default: METRIC_STORE_COPY_TO.",
)
def copy(home: Path | None, to: str) -> None:
    """Copy the published tables of weeks that changed, into PostgreSQL or as Parquet.

    Into the schema marts, in one transaction; or a file for each table and week.
    """
    from orchestration.cli.copy import copy as copy_now

    copy_now(Home.of(home).require(), to)


@main.command()
@click.argument("names", nargs=-1, metavar="[SOURCE|TABLE...]")
@HOME_OPTION
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="An older contract: show what changed since, and whether it breaks who delivers or reads.",
)
def contract(names: tuple[str, ...], home: Path | None, against: Path | None) -> None:
    """Show what inputs must be like and published tables are like, as Open Data Contract Standard YAML.

    Of these sources and published tables, or of all. With --against, ends with 1 where a change is breaking.
    """
    from orchestration.cli.contract import show_changes, show_contract

    place = Home.of(home)
    if home is not None:
        place.require()
    if against is None:
        show_contract(place, names)
    elif not show_changes(place, names, against):
        sys.exit(1)


@main.command()
@HOME_OPTION
def report(home: Path | None) -> None:
    """Write the pages of the report that are missing or outdated.

    A run does this by itself; after an update, or where reports/ was removed, it brings the pages back.
    """
    from orchestration.cli.report import write

    write(Home.of(home).require().require_writable())


@main.command()
@HOME_OPTION
@click.option("--port", default=3000, show_default=True, type=click.IntRange(0, 65535), help="Port on 127.0.0.1.")
@click.option("--automation", is_flag=True, help="Switch the schedule and the sensor on.")
def ui(home: Path | None, port: int, automation: bool) -> None:
    """Open the Dagster UI on 127.0.0.1, with the schedule and the sensor."""
    from orchestration.cli.ui import serve

    serve(Home.of(home).require().require_writable(), port, automation)


if __name__ == "__main__":
    main()
