{#
    CTEs of a model that is tagged `after_gate` and compares with the week before as published. `to_publish`: the rows
    of the weeks that this run publishes, and of the published weeks that follow them, whose comparison changes with
    it, with `previous_week_start`; `published`: all rows that a reader will see of these weeks and those before.
    `fresh` holds the rows of the run's weeks, `standing` the published ones of the weeks next to them; both have
    week_start and `columns`.
#}
{% macro ctes_to_publish(fresh, standing, columns) %}
    publishable as (select week_start from {{ source("inputs", "gate_verdicts") }} where is_publishable),

    fresh as (
        select
            rows_of_run.week_start, {% for column in columns %} rows_of_run.{{ column }}, {% endfor %} true as is_fresh
        from {{ fresh }} as rows_of_run
        inner join publishable on rows_of_run.week_start = publishable.week_start
    ),

    -- published before and not replaced by this run, be it that the week was withheld or not asked for
    standing as (
        select near.week_start, {% for column in columns %} near.{{ column }}, {% endfor %} false as is_fresh
        from {{ standing }} as near
        left join publishable on near.week_start = publishable.week_start
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
{% endmacro %}
