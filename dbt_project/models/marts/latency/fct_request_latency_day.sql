{{ config(meta={"key": ["day", "oms_client", "hop", "attempt_scope"]}) }}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    -- a percentile keeps its lags in memory; the engine keeps those of all hops until the last one is read
    lags as (
        {% for hop in latency_hops() %}
            select
                observations.day,
                observations.week_start,
                coalesce(observations.oms_client, 'all') as oms_client,
                '{{ hop }}' as hop,
                scopes.attempt_scope,
                count(*) as observations,
                sum(observations.{{ hop }}_ms) as total_ms,
                max(observations.{{ hop }}_ms) as max_ms,
                {{ nearest_rank("observations." ~ hop ~ "_ms", 95) }} as p95_ms
            from {{ ref("int_latency_observations") }} as observations
            inner join {{ attempt_scopes() }} on {{ is_in_attempt_scope("observations") }}
            where observations.{{ hop }}_ms is not null
            group by
                grouping sets (
                    (observations.day, observations.week_start, scopes.attempt_scope, observations.oms_client),
                    (observations.day, observations.week_start, scopes.attempt_scope)
                )
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select
    lags.day,
    lags.week_start,
    lags.oms_client,
    lags.hop,
    lags.attempt_scope,
    lags.observations,
    {{ average_seconds("lags.total_ms", "lags.observations") }} as avg_seconds,
    {{ ms_to_seconds("lags.p95_ms") }} as p95_seconds,
    {{ ms_to_seconds("lags.max_ms") }} as max_seconds,
    {{ average_change_pct("lags.total_ms", "lags.observations", "day_before.total_ms", "day_before.observations") }}
    as avg_change_pct
from lags
left join
    lags as day_before
    on day_before.day = {{ date_add_days("lags.day", -1) }}
    and lags.oms_client = day_before.oms_client
    and lags.hop = day_before.hop
    and lags.attempt_scope = day_before.attempt_scope
where lags.week_start in (select week_start from weeks)
