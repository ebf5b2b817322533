{# One row per week that the gate's rules look at: those of the run, and those before them that a rule compares with. #}
{% set looks_back = var("rules") | selectattr("looks_back") | map(attribute="looks_back") | max %}
with

    weeks as (
        {% for weeks_before in range(looks_back // 7 + 1) %}
            select {{ date_add_days("week_start", -7 * weeks_before) }} as week_start
            from {{ ref("int_weeks") }}
            {% if not loop.last %}
                union
            {% endif %}
        {% endfor %}
    )

select
    week_start,
    {{ local_to_utc("week_start", setting("reporting_timezone")) }} as starts_at,
    {{ local_to_utc(date_add_days("week_start", 7), setting("reporting_timezone")) }} as ends_at
from weeks
