{#
    One row per week and order of a seller that was created in the grade window: its deadline, when it was shipped as of
    A, and what that says of shipment_in_target_duration: true is in numerator and denominator, false in the denominator
    only, null in neither.
#}
with

    windows as (select * from {{ ref("int_seller_grade_windows_week") }}),

    span as (select min(starts_at) as starts_at, max(calculated_at) as ends_at from windows),

    sub_orders as (
        select seller_id, order_id, ordered_at, shipped_at, cancelled_at, estimated_delivery_days
        from {{ ref("stg_marketplace__sub_orders") }}
    ),

    packages as (select seller_id, order_id, shipped_at from {{ ref("stg_marketplace__packages") }}),

    recent as (
        select sub_orders.*
        from sub_orders
        cross join span
        where sub_orders.ordered_at >= span.starts_at and sub_orders.ordered_at <= span.ends_at
    ),

    seen as (select seller_id, order_id, min(ordered_at) as created_at from recent group by seller_id, order_id),

    -- a line in a window doesn't tell that the order began there
    created_before as (
        select distinct seen.seller_id, seen.order_id
        from sub_orders
        inner join seen on sub_orders.seller_id = seen.seller_id and sub_orders.order_id = seen.order_id
        cross join span
        where sub_orders.ordered_at < span.starts_at
    ),

    created as (
        select
            seen.seller_id,
            seen.order_id,
            seen.created_at,
            {{ utc_to_local("seen.created_at", setting("reporting_timezone")) }} as created_local
        from seen
        left join
            created_before on seen.seller_id = created_before.seller_id and seen.order_id = created_before.order_id
        where created_before.order_id is null
    ),

    orders as (
        select windows.week_start, windows.calculated_at, created.*
        from created
        inner join windows on cast(created.created_at as date) = windows.utc_day
        where created.created_at >= windows.starts_at and created.created_at < windows.calculated_at
    ),

    -- lines and packages of an order, from when on they are known; together, so that each order is looked up once
    parts as (
        select
            seller_id,
            order_id,
            ordered_at as known_from,
            true as is_line,
            shipped_at,
            cancelled_at,
            -- longer than any order waits, and short enough to name a date
            case when estimated_delivery_days > 36500 then 36500 else estimated_delivery_days end as estimated_days
        from recent
        union all
        select
            seller_id,
            order_id,
            shipped_at as known_from,
            false as is_line,
            shipped_at,
            cast(null as timestamp) as cancelled_at,
            cast(null as bigint) as estimated_days
        from packages
    ),

    as_of_week as (
        select
            orders.week_start,
            orders.seller_id,
            orders.order_id,
            -- one value each; texts are long enough to group by
            min(orders.calculated_at) as calculated_at,
            min(orders.created_at) as created_at,
            min(orders.created_local) as created_local,
            max(parts.estimated_days) as estimated_days,
            bool_and(
                not parts.is_line
                or coalesce(parts.shipped_at <= orders.calculated_at, false)
                or coalesce(parts.cancelled_at <= orders.calculated_at, false)
            ) as is_complete,
            bool_and(not parts.is_line or coalesce(parts.cancelled_at <= orders.calculated_at, false)) as is_cancelled,
            max(case when not parts.is_line then parts.shipped_at end) as last_package_at
        from orders
        inner join
            parts
            on orders.seller_id = parts.seller_id
            and orders.order_id = parts.order_id
            and parts.known_from <= orders.calculated_at
        group by orders.week_start, orders.seller_id, orders.order_id
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
