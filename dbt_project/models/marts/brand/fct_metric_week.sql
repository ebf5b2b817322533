{{ config(tags=["after_gate"]) }}
{#
    One row per week, brand metric, dimension and member of the weeks that this run publishes, and of the published
    weeks that follow them, whose comparison with the week before changes with it.
#}
{%- set columns = [
    "metric_id",
    "dimension",
    "member",
    "numerator",
    "denominator",
    "value",
    "display_value",
    "is_small_sample",
    "interval_low",
    "interval_high",
] %}
with

    publishable as (select week_start from {{ source("inputs", "gate_verdicts") }} where is_publishable),

    fresh as (
        select metrics.week_start, {% for column in columns %} metrics.{{ column }}, {% endfor %} true as is_fresh
        from {{ ref("int_metric_week") }} as metrics
        inner join publishable on metrics.week_start = publishable.week_start
    ),

    -- published before and not replaced by this run, be it that the week was withheld or not asked for
    standing as (
        select metrics.week_start, {% for column in columns %} metrics.{{ column }}, {% endfor %} false as is_fresh
        from {{ source("inputs", "published_metrics") }} as metrics
        left join publishable on metrics.week_start = publishable.week_start
        where publishable.week_start is null
    ),

    published as (
        select *
        from fresh
        union all
        select *
        from standing
    ),

    following as (select {{ date_add_days("week_start", 7) }} as week_start from publishable),

    to_publish as (
        select published.*, {{ date_add_days("published.week_start", -7) }} as previous_week_start
        from published
        left join following on published.week_start = following.week_start
        where published.is_fresh or following.week_start is not null
    )

select
    to_publish.week_start,
    to_publish.metric_id,
    to_publish.dimension,
    to_publish.member,
    to_publish.numerator,
    to_publish.denominator,
    to_publish.value,
    to_publish.display_value,
    previous.value as previous_value,
    cast(to_publish.value - previous.value as decimal(18, 2)) as change,
    to_publish.is_small_sample,
    to_publish.interval_low,
    to_publish.interval_high
from to_publish
left join
    published as previous
    on to_publish.previous_week_start = previous.week_start
    and to_publish.metric_id = previous.metric_id
    and to_publish.dimension = previous.dimension
    and to_publish.member = previous.member
