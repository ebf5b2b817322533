{{ config(meta={"dagster": {"ref": {"name": "fct_request_latency_week"}}}) }}
{#
    Every observation is one seller's and one client's: the user types of a week, and the clients of its days, add up to
    the observations of the whole, and the longest lag of the whole is one of theirs. Requests need not add up, as
    sellers may share one: `overall` lies between the largest user type and the sum of all.
#}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    user_types as (
        select
            week_start,
            hop,
            attempt_scope,
            sum(observations) filter (where user_type <> 'overall') as observations,
            max(max_seconds) filter (where user_type <> 'overall') as max_seconds,
            sum(request_ids) filter (where user_type <> 'overall') as most_request_ids,
            max(request_ids) filter (where user_type <> 'overall') as least_request_ids,
            sum(observations) filter (where user_type = 'overall') as overall_observations,
            max(max_seconds) filter (where user_type = 'overall') as overall_max_seconds,
            sum(request_ids) filter (where user_type = 'overall') as overall_request_ids
        from {{ ref("fct_request_latency_week") }}
        where week_start in (select week_start from weeks)
        group by week_start, hop, attempt_scope
    ),

    days as (
        select
            week_start,
            hop,
            attempt_scope,
            sum(observations) filter (where oms_client <> 'all') as client_observations,
            max(max_seconds) filter (where oms_client <> 'all') as client_max_seconds,
            sum(observations) filter (where oms_client = 'all') as day_observations,
            max(max_seconds) filter (where oms_client = 'all') as day_max_seconds
        from {{ ref("fct_request_latency_day") }}
        where week_start in (select week_start from weeks)
        group by week_start, hop, attempt_scope
    )

select
    coalesce(user_types.week_start, days.week_start) as week_start,
    coalesce(user_types.hop, days.hop) as hop,
    coalesce(user_types.attempt_scope, days.attempt_scope) as attempt_scope
from user_types
full outer join
    days
    on user_types.week_start = days.week_start
    and user_types.hop = days.hop
    and user_types.attempt_scope = days.attempt_scope
where
    user_types.observations is distinct from user_types.overall_observations
    or days.client_observations is distinct from user_types.overall_observations
    or days.day_observations is distinct from user_types.overall_observations
    or user_types.max_seconds is distinct from user_types.overall_max_seconds
    or days.client_max_seconds is distinct from user_types.overall_max_seconds
    or days.day_max_seconds is distinct from user_types.overall_max_seconds
    or user_types.overall_request_ids not between user_types.least_request_ids
    and user_types.most_request_ids
    or user_types.overall_request_ids > user_types.overall_observations
