{{ config(materialized="view") }}
{#
    One row per week, brand metric, and sub-order that counts against the metric; with the time that it had, where an
    incident can excuse it. A view: it streams into int_metric_evidence_week.
#}
with

    metrics as ({{ judged_metrics("brand") }}),

    placed_sub_orders as (select * from {{ ref("int_placed_sub_orders_week") }}),

    manifested_sub_orders as (select * from {{ ref("int_manifested_sub_orders_week") }}),

    failed_sub_orders as (select * from {{ ref("int_failed_sub_orders_week") }}),

    -- each sub-order of a metric's denominator, with what decided on which side it is
    judged_sub_orders as (
        select
            week_start,
            'o2d_ratio' as metric_id,
            seller_id,
            sub_order_id,
            order_id,
            is_shipped as is_in_numerator,
            -- one that was cancelled is not waiting any more
            coalesce(shipped_at, cancelled_at) as happened_at,
            case when shipped_at is null then cancellation_reason end as detail,
            cast(null as timestamp) as had_from,
            cast(null as timestamp) as had_until
        from placed_sub_orders
        where is_mall
        union all
        select
            week_start,
            'sla_breach_cancellation_rate' as metric_id,
            seller_id,
            sub_order_id,
            order_id,
            is_sla_breach_cancellation as is_in_numerator,
            cancelled_at as happened_at,
            cancellation_reason as detail,
            ordered_at as had_from,
            cancelled_at as had_until
        from placed_sub_orders
        where is_mall
        union all
        select
            week_start,
            'bad_user_order_contribution' as metric_id,
            seller_id,
            sub_order_id,
            order_id,
            is_of_bad_user as is_in_numerator,
            user_flagged_at as happened_at,
            user_flag_reason as detail,
            cast(null as timestamp) as had_from,
            cast(null as timestamp) as had_until
        from placed_sub_orders
        where is_mall
        union all
        select
            placed_sub_orders.week_start,
            'acceptance_failure_rate' as metric_id,
            placed_sub_orders.seller_id,
            placed_sub_orders.sub_order_id,
            placed_sub_orders.order_id,
            placed_sub_orders.is_not_accepted as is_in_numerator,
            failed_sub_orders.failed_at as happened_at,
            failed_sub_orders.l2_category as detail,
            placed_sub_orders.ordered_at as had_from,
            failed_sub_orders.failed_at as had_until
        from placed_sub_orders
        left join
            failed_sub_orders
            on placed_sub_orders.week_start = failed_sub_orders.week_start
            and placed_sub_orders.sub_order_id = failed_sub_orders.sub_order_id
            and failed_sub_orders.flow = 'acceptance'
        where placed_sub_orders.oms_client is not null
        union all
        select
            manifested_sub_orders.week_start,
            'manifestation_failure_rate' as metric_id,
            manifested_sub_orders.seller_id,
            manifested_sub_orders.sub_order_id,
            manifested_sub_orders.order_id,
            manifested_sub_orders.is_not_manifested as is_in_numerator,
            failed_sub_orders.failed_at as happened_at,
            failed_sub_orders.l2_category as detail,
            manifested_sub_orders.ordered_at as had_from,
            failed_sub_orders.failed_at as had_until
        from manifested_sub_orders
        left join
            failed_sub_orders
            on manifested_sub_orders.week_start = failed_sub_orders.week_start
            and manifested_sub_orders.sub_order_id = failed_sub_orders.sub_order_id
            and failed_sub_orders.flow = 'manifestation'
    )

select
    judged_sub_orders.week_start,
    judged_sub_orders.metric_id,
    judged_sub_orders.seller_id,
    judged_sub_orders.sub_order_id as unit_id,
    'sub_order' as unit,
    judged_sub_orders.order_id,
    judged_sub_orders.happened_at,
    cast(null as timestamp) as due_at,
    judged_sub_orders.detail,
    judged_sub_orders.had_from,
    judged_sub_orders.had_until
from judged_sub_orders
inner join
    metrics
    on judged_sub_orders.metric_id = metrics.metric_id
    and judged_sub_orders.is_in_numerator = metrics.counts_in_numerator
