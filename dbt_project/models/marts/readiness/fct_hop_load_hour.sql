{# One row per hour, OMS client and hop with a lag: how many calls took the hop, and how long all of them took. #}
{% set hops = ["t1_t2", "t2_t3", "t3_t4", "t4_t5"] %}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    -- all hops in one pass over the observations
    hours as (
        select
            week_start,
            date_trunc('hour', logged_at) as started_at,
            oms_client,
            {% for hop in hops %}
                count({{ hop }}_ms) as {{ hop }}_calls,
                sum({{ hop }}_ms) as {{ hop }}_total_ms {{ "," if not loop.last }}
            {% endfor %}
        from {{ ref("int_latency_observations") }}
        where week_start in (select week_start from weeks)
        group by all
    ),

    loads as (
        {% for hop in hops %}
            select
                week_start,
                started_at,
                oms_client,
                '{{ hop }}' as hop,
                {{ hop }}_calls as calls,
                {{ hop }}_total_ms as total_ms
            from hours
            where {{ hop }}_calls > 0
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select week_start, started_at, oms_client, hop, calls, {{ ms_to_seconds("total_ms") }} as total_seconds
from loads
