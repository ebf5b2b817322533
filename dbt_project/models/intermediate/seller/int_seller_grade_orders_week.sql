{#
    One row per week and order of a seller that was created in the grade window: its deadline, when it was shipped as of
    A, and what that says of shipment_in_target_duration: true is in numerator and denominator, false in the denominator
    only, null in neither.
    Each order is put together once, and once more for a week that may not know all of it yet; putting it together for
    every week took twice the time and three times the memory. What is read twice is text here and no CTE: an engine
    would keep the rows of that.
#}
{# The lines and packages of orders, and from when on each is known. #}
{% set parts %}
    select
        seller_id,
        order_id,
        ordered_at as known_from,
        ordered_at,
        least(shipped_at, cancelled_at) as done_at,
        cancelled_at,
        -- longer than any order waits, and short enough to name a date
        case when estimated_delivery_days > 36500 then 36500 else estimated_delivery_days end as estimated_days,
        cast(null as timestamp) as package_at
    from {{ ref("stg_marketplace__sub_orders") }}
    union all
    select
        seller_id,
        order_id,
        shipped_at as known_from,
        cast(null as timestamp) as ordered_at,
        cast(null as timestamp) as done_at,
        cast(null as timestamp) as cancelled_at,
        cast(null as bigint) as estimated_days,
        shipped_at as package_at
    from {{ ref("stg_marketplace__packages") }}
{% endset %}
{# An order is done, or cancelled, with the last of its lines; with one that isn't, it isn't. #}
{% set order_of_parts %}
    min(parts.ordered_at) as created_at,
    max(parts.estimated_days) as estimated_days,
    case when count(parts.done_at) = count(parts.ordered_at) then max(parts.done_at) end as done_at,
    case when count(parts.cancelled_at) = count(parts.ordered_at) then max(parts.cancelled_at) end as cancelled_at,
    max(parts.package_at) as last_package_at
{% endset %}
{% set is_in_window %}
    cast(orders.created_at as date) = windows.utc_day
    and orders.created_at >= windows.starts_at
    and orders.created_at < windows.calculated_at
{% endset %}
{# Packages of an order that isn't done don't matter yet. #}
{% set has_later_parts %}
    (
        orders.last_line_at > windows.calculated_at
        or coalesce(orders.done_at <= windows.calculated_at and orders.last_package_at > windows.calculated_at, false)
    )
{% endset %}
with

    windows as (select * from {{ ref("int_seller_grade_windows_week") }}),

    span as (select min(starts_at) as starts_at, max(calculated_at) as ends_at from windows),

    seen as (
        select sub_orders.seller_id, sub_orders.order_id
        from {{ ref("stg_marketplace__sub_orders") }} as sub_orders
        cross join span
        where sub_orders.ordered_at >= span.starts_at and sub_orders.ordered_at < span.ends_at
    ),

    -- with the lines before the span: one in a window doesn't tell that the order began there
    orders as (
        select parts.seller_id, parts.order_id, max(parts.ordered_at) as last_line_at, {{ order_of_parts }}
        from ({{ parts }}) as parts
        semi join seen on parts.seller_id = seen.seller_id and parts.order_id = seen.order_id
        group by parts.seller_id, parts.order_id
        having min(parts.ordered_at) >= (select starts_at from span)
    ),

    -- what came after A isn't known then; distinct, so that these few orders are found before their parts are looked up
    cut as (
        select distinct windows.week_start, windows.calculated_at, orders.seller_id, orders.order_id
        from orders
        inner join windows on {{ is_in_window }}
        where {{ has_later_parts }}
    ),

    until_a as (
        select
            windows.week_start,
            windows.calculated_at,
            orders.seller_id,
            orders.order_id,
            orders.created_at,
            orders.estimated_days,
            orders.done_at,
            orders.cancelled_at,
            orders.last_package_at
        from orders
        inner join windows on {{ is_in_window }}
        where not {{ has_later_parts }}
        union all
        select cut.week_start, cut.calculated_at, parts.seller_id, parts.order_id, {{ order_of_parts }}
        from ({{ parts }}) as parts
        inner join
            cut
            on parts.seller_id = cut.seller_id
            and parts.order_id = cut.order_id
            and parts.known_from <= cut.calculated_at
        group by cut.week_start, cut.calculated_at, parts.seller_id, parts.order_id
    ),

    as_of_week as (
        select
            *,
            coalesce(done_at <= calculated_at, false) as is_complete,
            coalesce(cancelled_at <= calculated_at, false) as is_cancelled,
            {{ utc_to_local("created_at", setting("reporting_timezone")) }} as created_local
        from until_a
    ),

    -- whole weeks have five counted days each; one created on a weekend day is counted from Monday 00:00
    counted as (
        select
            *,
            {{ days_since_monday("created_local") }} >= 5 as is_from_weekend,
            case
                when {{ days_since_monday("created_local") }} >= 5
                then {{ add_days("date_trunc('week', created_local)", 7) }}
                else created_local
            end as counted_from,
            case
                when {{ days_since_monday("created_local") }} >= 5 then 0 else {{ days_since_monday("created_local") }}
            end as counted_weekday
        from as_of_week
    ),

    due as (
        select
            *,
            case
                -- the instant itself, where a wall clock may show the same time twice
                when estimated_days = 0 and not is_from_weekend
                then created_at
                else
                    {{
                        local_to_utc(
                            add_days(
                                "counted_from",
                                "(7 * "
                                ~ int_div("counted_weekday + estimated_days", "5")
                                ~ " + (counted_weekday + estimated_days) % 5 - counted_weekday)",
                            ),
                            setting("reporting_timezone"),
                        )
                    }}
            end as due_at
        from counted
    ),

    -- where packages never had a file, nothing is known of shipping, and no order is judged
    shipping as (
        select count(*) > 0 as is_known from {{ ref("stg_run__sources") }} where source = 'packages' and is_present
    ),

    shipped as (
        select due.*, case when due.is_complete then due.last_package_at end as shipped_at, shipping.is_known
        from due
        cross join shipping
    )

select
    week_start,
    seller_id,
    order_id,
    created_at,
    estimated_days,
    due_at,
    shipped_at,
    is_cancelled,
    case
        when is_cancelled or due_at is null or not is_known
        then null
        when shipped_at is not null
        then shipped_at <= due_at
        when due_at < calculated_at
        then false
    end as is_in_shipment_in_target_duration
from shipped
