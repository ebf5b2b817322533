{#
    One row per week and sub-order placed in it, of Mall sellers and of sellers with an OMS client: what became of it
    as of A.
#}
with

    sub_orders as (
        select *
        from {{ ref("int_sub_orders_as_of_week") }}
        where {{ is_within("ordered_at", "starts_at", "ends_at") }} and (is_mall or oms_client is not null)
    ),

    acceptance_calls as (select * from {{ ref("int_sub_order_calls_week") }} where flow = 'acceptance'),

    open_flags as (select * from {{ ref("int_open_user_flags_week") }}),

    sla_breach_reasons as ({{ reasons_of("cancellation", "sla_breach") }})

select
    sub_orders.week_start,
    sub_orders.sub_order_id,
    sub_orders.order_id,
    sub_orders.seller_id,
    sub_orders.is_mall,
    sub_orders.mall_segment,
    sub_orders.oms_client,
    sub_orders.ordered_at,
    coalesce(sub_orders.oms_enabled_at < sub_orders.ends_at, false) as is_oms_enabled,
    sub_orders.shipped_at,
    sub_orders.cancelled_at,
    sub_orders.cancellation_reason,
    open_flags.flagged_at as user_flagged_at,
    open_flags.reason as user_flag_reason,
    sub_orders.shipped_at is not null as is_shipped,
    sla_breach_reasons.reason is not null as is_sla_breach_cancellation,
    open_flags.user_id is not null as is_of_bad_user,
    sub_orders.oms_client is not null and coalesce(not acceptance_calls.has_succeeded, false) as is_not_accepted
from sub_orders
left join
    acceptance_calls
    on sub_orders.week_start = acceptance_calls.week_start
    and sub_orders.sub_order_id = acceptance_calls.sub_order_id
left join open_flags on sub_orders.week_start = open_flags.week_start and sub_orders.user_id = open_flags.user_id
left join sla_breach_reasons on sub_orders.cancellation_reason = sla_breach_reasons.reason
