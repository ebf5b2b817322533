{# One row per metric and deciding column that no landed file of its source has. #}
with

    deciding as (
        select *
        from
            (
                values
                    {% for metric in var("metrics") | selectattr("decided_by") %}
                        {% set is_last = loop.last %}
                        {% for column in metric.decided_by %}
                            ('{{ metric.id }}', '{{ column.split(".")[0] }}', '{{ column.split(".")[1] }}')
                            {% if not (is_last and loop.last) %}, {% endif %}
                        {% endfor %}
                    {% endfor %}
            ) as deciding(metric_id, source, column_name)
    )

select deciding.metric_id, deciding.source, deciding.column_name
from deciding
inner join
    {{ ref("stg_run__absent_columns") }} as absent
    on deciding.source = absent.source
    and deciding.column_name = absent.column_name
