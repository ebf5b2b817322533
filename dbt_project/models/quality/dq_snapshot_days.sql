{# One row per week and stock system, where there are snapshots at all: the local days of the week with a snapshot of it. #}
with

    weeks as ({{ sources_of_weeks() }}),

    systems as (select * from (values ('oms'), ('marketplace')) as systems(system)),

    days as (
        select
            week_start, day, count(oms_quantity) as oms_snapshots, count(marketplace_quantity) as marketplace_snapshots
        from {{ ref("int_stock_days_week") }}
        group by week_start, day
    )

select
    weeks.week_start,
    systems.system as scope,
    cast(
        count(
            case when systems.system = 'oms' then nullif(oms_snapshots, 0) else nullif(marketplace_snapshots, 0) end
        ) as double
    ) as observed,
    cast(null as string) as note
from weeks
cross join systems
left join days on weeks.week_start = days.week_start
where weeks.source = 'inventory_snapshots'
group by weeks.week_start, systems.system
