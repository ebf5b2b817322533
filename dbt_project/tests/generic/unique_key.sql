{# No two rows share the values of these columns. #}
{% test unique_key(model, columns) %}
    select {{ columns | join(", ") }}, count(*) as repetitions
    from {{ model }}
    group by {{ columns | join(", ") }}
    having count(*) > 1
{% endtest %}
