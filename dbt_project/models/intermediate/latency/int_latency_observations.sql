{#
    One row per manifestation log with a request_id, of the days in int_latency_days: the lag of each of its hops.
    A log of the day before a Monday, whose week isn't the run's, has no user_type: it serves the daily change alone.
#}
with

    days as ({{ by_utc_day(ref("int_latency_days")) }}),

    logs as (
        select
            logged_at,
            request_id,
            oms_client,
            seller_id,
            sub_order_id,
            call_status = 'success' as is_success,
            attempt,
            t1_received_at,
            t2_sos_notified_at,
            t3_label_created_at,
            t4_label_shared_at,
            t5_label_sent_at
        from {{ ref("stg_oms__logs") }}
        where flow = 'manifestation' and request_id is not null
    ),

    sub_orders as (select sub_order_id, ordered_at from {{ ref("stg_marketplace__sub_orders") }}),

    user_types as (select * from {{ ref("int_seller_user_type_week") }}),

    calls as (
        select
            days.day,
            days.week_start,
            user_types.user_type,
            logs.*,
            -- the wait for the first stamp says something about the flow only where the call went through
            case when logs.is_success then sub_orders.ordered_at end as ordered_at
        from logs
        inner join days on cast(logs.logged_at as date) = days.utc_day
        left join sub_orders on logs.sub_order_id = sub_orders.sub_order_id
        left join user_types on days.week_start = user_types.week_start and logs.seller_id = user_types.seller_id
        where logs.logged_at >= days.starts_at and logs.logged_at < days.ends_at
    )

select
    day,
    week_start,
    logged_at,
    oms_client,
    user_type,
    request_id,
    is_success and attempt = 1 as is_first_try,
    {% for hop, ends in latency_hops().items() %}
        {{ observed_lag_ms(ends[0], ends[1]) }} as {{ hop }}_ms {{ "," if not loop.last }}
    {% endfor %}
from calls
