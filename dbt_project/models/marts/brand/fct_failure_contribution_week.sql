{# One row per week, flow, OMS client (or `all`) and L2 category with a failed sub-order. #}
with

    failed_sub_orders as (
        select week_start, flow, {{ member_name("oms_client") }} as oms_client, l2_category
        from {{ ref("int_failed_sub_orders_week") }}
    ),

    counted as (
        select week_start, flow, coalesce(oms_client, 'all') as oms_client, l2_category, count(*) as failed
        from failed_sub_orders
        group by grouping sets ((week_start, flow, l2_category), (week_start, flow, oms_client, l2_category))
    ),

    compared as (
        select *, cast(sum(failed) over (partition by week_start, flow, oms_client) as bigint) as all_failed
        from counted
    )

select
    week_start,
    flow,
    oms_client,
    l2_category,
    failed,
    {{ percent("failed", "all_failed", "decimal(9,2)") }} as contribution,
    cast(rank() over (partition by week_start, flow, oms_client order by failed desc) as bigint) as contribution_rank
from compared
