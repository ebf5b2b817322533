{#
    The version of each record that holds as of A of each week of the run: the greatest `updated_at` <= A, and where
    all versions are later, the earliest one. `identity` is the list of columns that name the record.
    One row per week and record.
#}
{% macro versions_as_of(relation, identity) %}
    select *
    from
        (
            select
                weeks.week_start,
                weeks.calculated_at,
                versions.*,
                row_number() over (
                    partition by weeks.week_start, {% for column in identity %} versions.{{ column }}, {% endfor %} 1
                    order by
                        case when versions.updated_at <= weeks.calculated_at then 0 else 1 end,
                        case when versions.updated_at <= weeks.calculated_at then versions.updated_at end desc,
                        versions.updated_at
                ) as version_rank
            from {{ ref("int_weeks") }} as weeks
            cross join {{ relation }} as versions
        ) as ranked
    where version_rank = 1
{% endmacro %}
