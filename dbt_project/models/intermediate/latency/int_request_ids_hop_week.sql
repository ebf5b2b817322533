{#
    One row per week, user type (and `overall`), hop and attempt scope: distinct request_ids with an observed hop.
    Requests are brought to one row each first: 56 distinct counts of one column would each keep a set of all of them.
    A request that sellers of several user types share counts once in each, and once in `overall`.
#}
{% set hops = latency_hops().keys() | list %}
{% set least_seen = {"all": 1, "first_try": 2} %}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    observations as (
        select * from {{ ref("int_latency_observations") }} where week_start in (select week_start from weeks)
    ),

    requests as (
        select
            week_start,
            coalesce(user_type, 'overall') as user_type,
            request_id,
            {% for hop in hops %}
                max(case when {{ hop }}_ms is null then 0 when is_first_try then 2 else 1 end) as {{ hop }}_seen
                {{ "," if not loop.last }}
            {% endfor %}
        from observations
        group by grouping sets ((week_start, user_type, request_id), (week_start, request_id))
    ),

    counts as (
        select
            {% for hop in hops %}
                {% for scope, seen in least_seen.items() %}
                    count(*) filter (where {{ hop }}_seen >= {{ seen }}) as {{ hop }}_{{ scope }},
                {% endfor %}
            {% endfor %}
            week_start,
            user_type
        from requests
        group by week_start, user_type
    )

{% for hop in hops %}
        {% set last_hop = loop.last %}
    {% for scope in least_seen %}
        select
            week_start,
            user_type,
            '{{ hop }}' as hop,
            '{{ scope }}' as attempt_scope,
            {{ hop }}_{{ scope }} as request_ids
        from counts
        where {{ hop }}_{{ scope }} > 0
        {% if not (last_hop and loop.last) %}
            union all
        {% endif %}
    {% endfor %}
{% endfor %}
