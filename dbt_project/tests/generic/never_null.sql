{# No row has a null in any of these columns. One statement for all of them: each test costs a run as much as a small model. #}
{% test never_null(model, columns) %}
    select {{ columns | join(", ") }} from {{ model }} where {{ columns | join(" is null or ") }} is null
{% endtest %}
