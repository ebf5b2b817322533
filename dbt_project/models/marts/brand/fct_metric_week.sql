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
with {{ ctes_to_publish(ref("int_metric_week"), ref("stg_run__published_metrics"), columns) }}

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
