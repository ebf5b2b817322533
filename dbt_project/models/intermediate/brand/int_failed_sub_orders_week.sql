{#
    One row per week, flow and sub-order in the numerator of the flow's failure rate, with its last failed call from
    S to A and the L2 category of that.
#}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    failed_sub_orders as (
        select week_start, 'acceptance' as flow, sub_order_id, order_id, seller_id, oms_client
        from {{ ref("int_placed_sub_orders_week") }}
        where is_not_accepted
        union all
        select week_start, 'manifestation' as flow, sub_order_id, order_id, seller_id, oms_client
        from {{ ref("int_manifested_sub_orders_week") }}
        where is_not_manifested
    ),

    failed_calls as (
        select flow, sub_order_id, log_id, logged_at, failure_reason
        from {{ ref("stg_oms__logs") }}
        where
            call_status = 'failed'
            and logged_at >= (select min(starts_at) from weeks)
            and logged_at <= (select max(calculated_at) from weeks)
    ),

    categories as (select flow, failure_reason, l2_category from {{ ref("stg_config__failure_reasons") }}),

    calls as (
        select
            failed_sub_orders.*,
            failed_calls.log_id,
            failed_calls.logged_at,
            failed_calls.failure_reason,
            row_number() over (
                partition by failed_sub_orders.week_start, failed_sub_orders.flow, failed_sub_orders.sub_order_id
                order by failed_calls.logged_at desc, failed_calls.log_id desc
            ) as recency
        from failed_sub_orders
        inner join weeks on failed_sub_orders.week_start = weeks.week_start
        inner join
            failed_calls
            on failed_sub_orders.sub_order_id = failed_calls.sub_order_id
            and failed_sub_orders.flow = failed_calls.flow
            and failed_calls.logged_at >= weeks.starts_at
            and failed_calls.logged_at <= weeks.calculated_at
    )

select
    calls.week_start,
    calls.flow,
    calls.sub_order_id,
    calls.order_id,
    calls.seller_id,
    calls.oms_client,
    calls.log_id,
    calls.logged_at as failed_at,
    calls.failure_reason,
    case
        when categories.l2_category is not null
        then categories.l2_category
        when {{ member_name("calls.failure_reason") }} = 'unknown'
        then 'unknown'
        else 'other'
    end as l2_category
from calls
left join categories on calls.flow = categories.flow and calls.failure_reason = categories.failure_reason
where calls.recency = 1
