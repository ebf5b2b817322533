"""The scenario `august`: a month of logs as large as the one that the requirements describe, at any scale.

The heavy sources - oms_logs, seller_orders, packages - are written by the engine alone, a day at a time, so memory
follows the day and not the month. Every value follows from its key by a hash (`sql/macros.sql`): there is no generator
whose state a second thread or a killed run could upset.

    counts.py     how many of everything, and on which day
    month.py      the files of the heavy sources, day by day, from `sql/`
    writer.py     all of it: the cast and the small sources are those of the other scenarios

How a day comes about: `batches.sql` (what a seller's OMS takes over in one go), `sub_orders.sql` (their whole
lifecycle), `later.sql` and `records.sql` (the calls), `fillers.sql` (up to the exact counts of the day). From these
`log_rows.sql`, `order_rows.sql` and `package_rows.sql` make the rows of the sources.
"""

from orchestration.sample.august.counts import DAYS, LEAST_SCALE, MONTH, WEEKS, Counts
from orchestration.sample.august.writer import write_august

__all__ = ["DAYS", "LEAST_SCALE", "MONTH", "WEEKS", "Counts", "write_august"]
