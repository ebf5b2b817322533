{#
    One row per week, flow and OMS client (or `all`, which is always there) with failed sub-orders: how far the sum of
    the contributions is from 100, per category.
#}
with

    -- the contributions have the sources of the failure rates
    flows as (
        select week_start, replace(metric_id, '_failure_rate', '') as flow
        from {{ ref("int_metric_week") }}
        where metric_id in ('acceptance_failure_rate', 'manifestation_failure_rate') and dimension = 'overall'
    ),

    sums as (
        select week_start, flow, oms_client, sum(contribution) as contribution, cast(count(*) as double) as categories
        from {{ ref("fct_failure_contribution_week") }}
        group by week_start, flow, oms_client
    ),

    scopes as (
        select week_start, flow, 'all' as oms_client
        from flows
        union
        select sums.week_start, sums.flow, sums.oms_client
        from sums
        inner join {{ ref("int_weeks") }} as weeks on sums.week_start = weeks.week_start
    )

select
    scopes.week_start,
    scopes.flow || '/' || scopes.oms_client as scope,
    cast(abs(sums.contribution - 100) as double) / sums.categories as observed,
    case when sums.contribution is null then 'no failed sub-order in the week' end as note
from scopes
left join
    sums on scopes.week_start = sums.week_start and scopes.flow = sums.flow and scopes.oms_client = sums.oms_client
