{# One row per week, seller, sku and day of it with a snapshot: the last quantity that each system showed on the day. #}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    days as (select * from {{ ref("int_latency_days") }} where week_start in (select week_start from weeks)),

    snapshots as (select * from {{ ref("stg_inventory__snapshots") }})

select
    days.week_start,
    days.day,
    snapshots.seller_id,
    snapshots.sku_id,
    max_by(snapshots.quantity, snapshots.snapshot_at) filter (where snapshots.system = 'oms') as oms_quantity,
    max_by(snapshots.quantity, snapshots.snapshot_at) filter (
        where snapshots.system = 'marketplace'
    ) as marketplace_quantity
from snapshots
inner join days on snapshots.snapshot_at >= days.starts_at and snapshots.snapshot_at < days.ends_at
group by all
