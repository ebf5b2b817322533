"""`metric-store recovery`: what counts against a seller, until when, and what would end it. Reads; computes nothing."""

from __future__ import annotations

import click

from orchestration.cli.evidence import require_seller
from orchestration.cli.metric import require_published, tell_waivers
from orchestration.cli.rows import printable
from orchestration.home.layout import Home
from orchestration.publication.reading import open_store, withheld_because
from orchestration.publication.recovery import LIMITS, STANDING
from orchestration.weeks.names import in_words

_GRADE = "select final_grade, tier from marts.fct_seller_grade_week where week_start = $week and seller_id = $seller"


def show_recovery(home: Home, seller_id: str) -> None:
    """Print what stands against a seller in the newest published week. Raises MetricStoreError for an unknown one."""
    week = max(weeks := require_published(home))
    with open_store(home.published_store) as store:
        require_seller(store, seller_id, week)
        asked = {"week": week, "seller": seller_id}
        limits = store.execute(f"select line from ({LIMITS}) where seller_id = $seller", asked).fetchall()
        grades = store.execute(_GRADE, asked).fetchall()
        standing = store.execute(
            f"select metric_id, lines from ({STANDING}) where seller_id = $seller order by family, metric_id", asked
        ).fetchall()
    if withheld := [later for later in withheld_because(home.published_store) if later > week]:
        click.echo(f"Withheld since, see metric-store status: {in_words(withheld)}", err=True)
    tell_waivers(home, [week])
    click.echo(f"{printable(seller_id)} in the week of {week}, as of {weeks[week].calculated_at:%Y-%m-%d %H:%M} UTC")
    for grade, tier in grades:
        click.echo(f"Grade {grade}, {printable(tier)}" if grade is not None else "No grade: nothing to judge")
    for (line,) in limits or [("No limit of orders",)]:
        click.echo(line)
    if not standing:
        click.echo("No order counts against it in the limit or the grade.")
    for metric_id, lines in standing:
        click.echo(f"\n{metric_id}")
        for line in lines:
            click.echo(f"  {line}")
