{{ config(meta={"key": ["week_start", "user_type", "hop", "attempt_scope"]}) }}
{% set percents = [50, 75, 90, 95, 99] %}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    request_ids as (select * from {{ ref("int_request_ids_hop_week") }}),

    -- a percentile keeps its lags in memory; the engine keeps those of all hops until the last one is read
    lags as (
        {% for hop in latency_hops() %}
            select
                observations.week_start,
                coalesce(observations.user_type, 'overall') as user_type,
                '{{ hop }}' as hop,
                scopes.attempt_scope,
                count(*) as observations,
                sum(observations.{{ hop }}_ms) as total_ms,
                max(observations.{{ hop }}_ms) as max_ms,
                {{ nearest_ranks("observations." ~ hop ~ "_ms", percents) }} as percentiles_ms
            from {{ ref("int_latency_observations") }} as observations
            inner join {{ attempt_scopes() }} on {{ is_in_attempt_scope("observations") }}
            where observations.{{ hop }}_ms is not null and observations.week_start in (select week_start from weeks)
            group by
                grouping sets (
                    (observations.week_start, scopes.attempt_scope, observations.user_type),
                    (observations.week_start, scopes.attempt_scope)
                )
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select
    lags.week_start,
    lags.user_type,
    lags.hop,
    lags.attempt_scope,
    request_ids.request_ids,
    lags.observations,
    {{ average_seconds("lags.total_ms", "lags.observations") }} as avg_seconds,
    {% for percent in percents %}
        {{ ms_to_seconds(nth("lags.percentiles_ms", loop.index)) }} as p{{ percent }}_seconds,
    {% endfor %}
    {{ ms_to_seconds("lags.max_ms") }} as max_seconds
from lags
inner join
    request_ids
    on lags.week_start = request_ids.week_start
    and lags.user_type = request_ids.user_type
    and lags.hop = request_ids.hop
    and lags.attempt_scope = request_ids.attempt_scope
