{#
    One row per week and OMS client of the sellers (and `all`): how the stock that the OMS shows and that of the
    marketplace agree, sku by sku and day by day, and the orders that were cancelled for want of stock.
#}
{% set stock_counts = [
    "compared",
    "matched",
    "oversell",
    "undersell",
    "oversell_units",
    "undersell_units",
    "missing_in_oms",
    "missing_in_marketplace",
] %}
{% set counts = stock_counts + ["out_of_stock_cancellations"] %}
with

    weeks as (
        select week_start
        from {{ ref("int_weeks") }}
        where
            {{ source_is_present("inventory_snapshots") }}
            and {{ source_is_present("seller_orders") }}
            and {{ source_is_present("sellers") }}
    ),

    sellers as (select * from {{ ref("int_sellers_as_of_week") }}),

    stock_days as (
        select
            stock.week_start,
            {{ member_name("sellers.oms_client") }} as oms_client,
            stock.oms_quantity,
            stock.marketplace_quantity,
            stock.marketplace_quantity - stock.oms_quantity as surplus
        from {{ ref("int_stock_days_week") }} as stock
        left join sellers on stock.week_start = sellers.week_start and stock.seller_id = sellers.seller_id
    ),

    cancellations as (
        select week_start, {{ member_name("oms_client") }} as oms_client
        from {{ ref("int_out_of_stock_cancellations_week") }}
    ),

    counted as (
        select
            week_start,
            coalesce(oms_client, 'all') as oms_client,
            count(surplus) as compared,
            count(*) filter (where surplus = 0) as matched,
            count(*) filter (where surplus > 0) as oversell,
            count(*) filter (where surplus < 0) as undersell,
            coalesce(sum(surplus) filter (where surplus > 0), 0) as oversell_units,
            coalesce(sum(- surplus) filter (where surplus < 0), 0) as undersell_units,
            count(*) filter (where oms_quantity is null) as missing_in_oms,
            count(*) filter (where marketplace_quantity is null) as missing_in_marketplace,
            0 as out_of_stock_cancellations
        from stock_days
        group by grouping sets ((week_start, oms_client), (week_start))
        union all
        select
            week_start,
            coalesce(oms_client, 'all') as oms_client,
            {% for count in stock_counts %} 0 as {{ count }}, {% endfor %}
            count(*) as out_of_stock_cancellations
        from cancellations
        group by grouping sets ((week_start, oms_client), (week_start))
        union all
        -- `all` has a row in every week
        select week_start, 'all' as oms_client {% for count in counts %}, 0 as {{ count }} {% endfor %}
        from weeks
    ),

    summed as (
        select
            week_start,
            oms_client
            {% for count in counts %}, cast(sum({{ count }}) as bigint) as {{ count }} {% endfor %}
        from counted
        where week_start in (select week_start from weeks)
        group by week_start, oms_client
    )

select
    week_start,
    oms_client,
    compared,
    matched,
    oversell,
    undersell,
    oversell_units,
    undersell_units,
    missing_in_oms,
    missing_in_marketplace,
    {{ percent("matched", "compared", "decimal(9,2)") }} as accuracy_rate,
    out_of_stock_cancellations
from summed
