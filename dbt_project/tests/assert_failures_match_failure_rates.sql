{{ config(meta={"dagster": {"ref": {"name": "fct_failure_contribution_week"}}}) }}
{# The failures that are told apart by category are the numerators of the two failure rates, overall and per client. #}
with

    weeks as (select * from {{ ref("int_weeks") }}),

    contributions as (
        select
            contributions.week_start, contributions.flow, contributions.oms_client, sum(contributions.failed) as failed
        from {{ ref("fct_failure_contribution_week") }} as contributions
        inner join weeks on contributions.week_start = weeks.week_start
        group by contributions.week_start, contributions.flow, contributions.oms_client
    ),

    rates as (
        select
            week_start,
            case metric_id when 'acceptance_failure_rate' then 'acceptance' else 'manifestation' end as flow,
            case dimension when 'overall' then 'all' else member end as oms_client,
            numerator
        from {{ ref("int_metric_week") }}
        where
            metric_id in ('acceptance_failure_rate', 'manifestation_failure_rate')
            and dimension in ('overall', 'oms_client')
    )

select week_start, flow, oms_client, contributions.failed, rates.numerator
from contributions
full join rates using (week_start, flow, oms_client)
where coalesce(contributions.failed, 0) <> coalesce(rates.numerator, 0)
