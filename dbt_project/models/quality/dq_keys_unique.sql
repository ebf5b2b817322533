{#
    One row per week and published table: the keys that more than one row of the run's week has. A table without weeks
    is judged whole.
#}
{% set keys = published_keys() %}
with

    weeks as (select week_start from {{ ref("int_weeks") }}),

    repeated as (
        {% for table, relation in tables_before_gate().items() %}
            {% set key = keys.get(table, ["week_start"]) %}
            {% set has_weeks = "week_start" in key or "day" in key %}
            select '{{ table }}' as scope, {{ "max(week_start)" if has_weeks else "cast(null as date)" }} as week_start
            from {{ ref(relation) }}
            {% if has_weeks %} where week_start in (select week_start from weeks) {% endif %}
            group by {{ key | join(", ") }}
            having count(*) > 1
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    tables as (
        {% for table in tables_before_gate() %}
            select '{{ table }}' as scope
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select weeks.week_start, tables.scope, cast(count(repeated.scope) as double) as observed, cast(null as string) as note
from weeks
cross join tables
left join
    repeated
    on tables.scope = repeated.scope
    and (weeks.week_start = repeated.week_start or repeated.week_start is null)
group by weeks.week_start, tables.scope
