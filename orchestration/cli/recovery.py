"""`metric-store recovery`: what counts against a seller, until when, and what would end it. Reads; computes nothing."""

from __future__ import annotations

import click

from metric_store.reading import current_builds, published_weeks, withheld_in
from metric_store.sellers import recovery, require_seller, standing
from metric_store.words import in_words, printable
from orchestration.cli.metric import published_store, tell_waivers
from orchestration.home.layout import Home


def show_recovery(home: Home, seller_id: str) -> None:
    """Print what stands against a seller in the newest published week. Raises MetricStoreError for an unknown one."""
    with published_store(home) as store:
        week = max(current_builds(store))
        require_seller(store, seller_id, [week])
        [(is_graded, grade, tier, limit)] = standing(store, seller_id, week).fetchall()
        against = recovery(store, seller_id, week).project("metric_id, lines").fetchall()
        if withheld := [later for later in withheld_in(store) if later > week]:
            click.echo(f"Withheld since, see metric-store status: {in_words(withheld)}", err=True)
        tell_waivers(store, [week])
    as_of = published_weeks(home.published_store)[week].calculated_at
    click.echo(f"{printable(seller_id)} in the week of {week}, as of {as_of:%Y-%m-%d %H:%M} UTC")
    if is_graded:
        click.echo(f"Grade {grade}, {printable(tier)}" if grade is not None else "No grade: nothing to judge")
    click.echo(limit or "No limit of orders")
    if not against:
        click.echo("No order counts against it in the limit or the grade.")
    for metric_id, lines in against:
        click.echo(f"\n{metric_id}")
        for line in lines:
            click.echo(f"  {line}")
