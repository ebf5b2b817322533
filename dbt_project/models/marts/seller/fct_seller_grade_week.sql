{{ config(tags=["after_gate"]) }}
{#
    One row per week and seller with a line in the grade window, of the weeks that this run publishes, and of the
    published weeks that follow them, whose comparison with the week before changes with it.
#}
{%- set columns = ["seller_id", "final_grade", "tier", "is_partial"] %}
with {{ ctes_to_publish(ref("int_seller_grade_week"), ref("stg_run__published_grades"), columns) }}

select
    to_publish.week_start,
    to_publish.seller_id,
    to_publish.final_grade,
    to_publish.tier,
    to_publish.is_partial,
    previous.final_grade as previous_grade,
    cast(to_publish.final_grade - previous.final_grade as decimal(9, 2)) as change
from to_publish
left join
    published as previous
    on to_publish.previous_week_start = previous.week_start
    and to_publish.seller_id = previous.seller_id
