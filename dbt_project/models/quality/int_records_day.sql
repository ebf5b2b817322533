{#
    One row per local day of a week, of the run or up to four before, and source with records on it: how many (of the
    versions of a thing only one counts, or a week would seem to grow with age), how many of them without a request_id.
#}
{% set sources = var("sources") | selectattr("event_time") | list %}
with

    weeks as (select * from {{ ref("int_quality_weeks") }}),

    {% for entry in sources %}
        {{ entry.id }} as (
            select
                {% if entry.version_of %} distinct {{ entry.version_of }}, {% endif %}
                {% if entry.has_request_id %} request_id is null as is_without_request_id,
                {% else %} false as is_without_request_id,
                {% endif %}
                {{ entry.event_time }} as happened_at
            from {{ ref(entry.relation) }}
            where
                {{ entry.event_time }} >= (select min(starts_at) from weeks)
                and {{ entry.event_time }} < (select max(ends_at) from weeks)
        ),
    {% endfor %}

    -- few rows, and no bound of a week or local day lies within a minute
    minutes as (
        {% for entry in sources %}
            select
                '{{ entry.id }}' as source,
                date_trunc('minute', happened_at) as minute,
                count(*) as records,
                count(*) filter (where is_without_request_id) as null_request_ids
            from {{ entry.id }}
            group by 2
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select
    weeks.week_start,
    minutes.source,
    cast({{ utc_to_local("minutes.minute", setting("reporting_timezone")) }} as date) as day,
    cast(sum(minutes.records) as bigint) as records,
    cast(sum(minutes.null_request_ids) as bigint) as null_request_ids
from minutes
inner join weeks on minutes.minute >= weeks.starts_at and minutes.minute < weeks.ends_at
group by 1, 2, 3
