{#
    One row per order of a seller that is cross-border in the run, created by A of its last week: what was known of it at
    A of the week of its due date, published or not. An order that isn't due yet, or that was created while no policy
    held, has no week.
    Reads the sub-orders of these sellers once to find the orders and once to judge them, however many weeks the run has.
#}
with

    sellers as (select * from {{ ref("int_ovl_sellers") }}),

    deadlines as (select * from {{ ref("int_ovl_deadlines") }}),

    weeks as (select week_start, calculated_at from {{ ref("int_ovl_weeks") }}),

    last_week as (select max(calculated_at) as calculated_at from weeks),

    faults as ({{ reasons_of("cancellation", "seller_fault") }}),

    sub_orders as (
        select
            sub_orders.seller_id,
            sub_orders.order_id,
            sub_orders.ordered_at,
            sub_orders.confirmed_at,
            sub_orders.shipped_at,
            sub_orders.cancelled_at,
            sub_orders.cancelled_by,
            sub_orders.cancellation_reason
        from {{ ref("stg_marketplace__sub_orders") }} as sub_orders
        inner join sellers on sub_orders.seller_id = sellers.seller_id
        cross join last_week
        where {{ as_of("sub_orders.ordered_at", "last_week.calculated_at") }} is not null
    ),

    placed_in_parts as (
        select seller_id, order_id, min(ordered_at) as created_at, max(ordered_at) as last_ordered_at
        from sub_orders
        group by seller_id, order_id
        having min(ordered_at) < max(ordered_at)
    ),

    -- few orders go on growing after A of their week; what comes later is no part of them then
    growing as (
        select placed_in_parts.seller_id, placed_in_parts.order_id, weeks.calculated_at
        from placed_in_parts
        inner join
            deadlines
            on cast(placed_in_parts.created_at as date) = deadlines.utc_day
            and placed_in_parts.created_at >= deadlines.starts_at
            and placed_in_parts.created_at < deadlines.ends_at
        inner join weeks on deadlines.week_start = weeks.week_start
        where placed_in_parts.last_ordered_at > weeks.calculated_at
    ),

    known as (
        select sub_orders.*
        from sub_orders
        left join growing on sub_orders.seller_id = growing.seller_id and sub_orders.order_id = growing.order_id
        where growing.order_id is null or sub_orders.ordered_at <= growing.calculated_at
    ),

    created as ({{ ovl_order_steps("known", "faults") }}),

    orders as (
        select
            weeks.week_start,
            created.seller_id,
            created.order_id,
            created.created_at,
            deadlines.due_on,
            case
                when deadlines.runs_from is null
                then deadlines.confirm_due_at
                else {{ add_us("deadlines.confirm_due_at", lag_us("deadlines.runs_from", "created.created_at")) }}
            end as confirm_due_at,
            {{ as_of("created.confirmed_at", "weeks.calculated_at") }} as confirmed_at,
            deadlines.handover_due_at,
            {{ as_of("created.handed_over_at", "weeks.calculated_at") }} as handed_over_at,
            {{ as_of("created.fault_cancelled_at", "weeks.calculated_at") }} as fault_cancelled_at,
            case when created.fault_cancelled_at <= weeks.calculated_at then created.fault_reason end as fault_reason
        from created
        left join
            deadlines
            on cast(created.created_at as date) = deadlines.utc_day
            and created.created_at >= deadlines.starts_at
            and created.created_at < deadlines.ends_at
        left join weeks on deadlines.week_start = weeks.week_start
    )

select
    *,
    case when week_start is not null then fault_cancelled_at is not null end as is_in_ovl_cancellation_rate,
    case
        when week_start is not null
        then coalesce(confirmed_at <= confirm_due_at and handed_over_at <= handover_due_at, false)
    end as is_in_ovl_on_time_rate
from orders
