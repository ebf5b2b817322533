{#
    One row per week of the run, source and seller named by its records of the week: how many records, and how many of
    them with timestamps that run backwards.
#}
{% set sources = var("sources") | selectattr("event_time") | selectattr("has_seller") | list %}
with

    weeks as ({{ weeks_by_utc_day() }}),

    {% for entry in sources %}
        {{ entry.id }} as (
            select
                {% if entry.version_of %} distinct {{ entry.version_of }}, {% endif %}
                {% if entry.marks_backwards %} is_backwards,
                {% else %} false as is_backwards,
                {% endif %}
                seller_id,
                {{ entry.event_time }} as happened_at
            from {{ ref(entry.relation) }}
            where
                {{ entry.event_time }} >= (select min(starts_at) from weeks)
                and {{ entry.event_time }} < (select max(ends_at) from weeks)
        ),
    {% endfor %}

    counted as (
        {% for entry in sources %}
            select
                weeks.week_start,
                '{{ entry.id }}' as source,
                {{ entry.id }}.seller_id,
                count(*) as records,
                count(*) filter (where {{ entry.id }}.is_backwards) as backwards
            from {{ entry.id }}
            inner join weeks on cast({{ entry.id }}.happened_at as date) = weeks.utc_day
            where {{ entry.id }}.happened_at >= weeks.starts_at and {{ entry.id }}.happened_at < weeks.ends_at
            group by weeks.week_start, {{ entry.id }}.seller_id
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select week_start, source, seller_id, records, backwards
from counted
