{#
    One row per week of the run and order of a cross-border seller that is due in the week after it, and known as of A: how
    it stands for the limit by then. Each metric is a column: true is in the numerator as it stands, false isn't; an order
    that can still be on time is.
#}
with

    weeks as (select week_start, calculated_at from {{ ref("int_weeks") }}),

    sellers as (select week_start, seller_id from {{ ref("int_sellers_as_of_week") }} where is_cross_border),

    faults as ({{ reasons_of("cancellation", "seller_fault") }}),

    orders as (
        select
            weeks.week_start,
            weeks.calculated_at,
            orders.seller_id,
            orders.order_id,
            orders.confirm_due_at,
            orders.handover_due_at
        from {{ ref("int_ovl_orders") }} as orders
        inner join
            weeks
            on {{ date_add_days(monday_of("orders.due_on"), -7) }} = weeks.week_start
            and orders.created_at <= weeks.calculated_at
        inner join sellers on weeks.week_start = sellers.week_start and orders.seller_id = sellers.seller_id
    ),

    -- what came after A is no part of the order yet
    sub_orders as (
        select orders.week_start, sub_orders.*
        from {{ ref("stg_marketplace__sub_orders") }} as sub_orders
        inner join
            orders
            on sub_orders.seller_id = orders.seller_id
            and sub_orders.order_id = orders.order_id
            and sub_orders.ordered_at <= orders.calculated_at
    ),

    steps as ({{ ovl_order_steps("sub_orders", "faults", of=["week_start"]) }})

select
    orders.week_start,
    orders.seller_id,
    orders.order_id,
    coalesce(steps.fault_cancelled_at <= orders.calculated_at, false) as is_in_ovl_cancellation_rate,
    -- a step that isn't done by A is late once its deadline lies before A
    least(coalesce(steps.confirmed_at, orders.calculated_at), orders.calculated_at) <= orders.confirm_due_at
    and least(coalesce(steps.handed_over_at, orders.calculated_at), orders.calculated_at)
    <= orders.handover_due_at as is_in_ovl_on_time_rate
from orders
inner join
    steps
    on orders.week_start = steps.week_start
    and orders.seller_id = steps.seller_id
    and orders.order_id = steps.order_id
