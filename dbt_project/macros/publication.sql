{#
    CTEs of a model that is tagged `after_gate`. `published`: the rows that a reader will see after this run, those of the
    weeks that it publishes and those that stand from before. `fresh` holds the rows of the run's weeks, `standing` the
    published ones, of all weeks or of some; both have week_start and `columns`.
#}
{% macro ctes_as_published(fresh, standing, columns) %}
    publishable as (select week_start from {{ ref("stg_run__gate_verdicts") }} where is_publishable),

    fresh as (
        select
            rows_of_run.week_start, {% for column in columns %} rows_of_run.{{ column }}, {% endfor %} true as is_fresh
        from {{ fresh }} as rows_of_run
        inner join publishable on rows_of_run.week_start = publishable.week_start
    ),

    -- published before and not replaced by this run, be it that the week was withheld or not asked for
    standing as (
        select before.week_start, {% for column in columns %} before.{{ column }}, {% endfor %} false as is_fresh
        from {{ standing }} as before
        left join publishable on before.week_start = publishable.week_start
        where publishable.week_start is null
    ),

    published as (
        select *
        from fresh
        union all
        select *
        from standing
    )
{% endmacro %}

{#
    CTEs of a model that compares with the week before as published. `to_publish`: the rows of the weeks that this run
    publishes, and of the published weeks that follow them, whose comparison changes with it, with `previous_week_start`;
    `published` as above, where `standing` has at least the weeks next to those of the run.
#}
{% macro ctes_to_publish(fresh, standing, columns) %}
    {{ ctes_as_published(fresh, standing, columns) }},

    following as (select {{ date_add_days("week_start", 7) }} as week_start from publishable),

    to_publish as (
        select published.*, {{ date_add_days("published.week_start", -7) }} as previous_week_start
        from published
        left join following on published.week_start = following.week_start
        where published.is_fresh or following.week_start is not null
    )
{% endmacro %}
