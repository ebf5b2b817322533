{# One key of settings.csv, as text: a scalar subquery. #}
{% macro setting(key) %}
    (select max(value) from {{ ref("stg_config__settings") }} where key = '{{ key }}')
{% endmacro %}

{# A number of settings.csv in whole millionths: settings have six decimals at most, so nothing is lost. #}
{% macro setting_millionths(key) %} cast(cast({{ setting(key) }} as decimal(18, 6)) * 1000000 as bigint){% endmacro %}

{# Rows of a configuration file with valid_from and valid_to that hold on a day. #}
{% macro is_valid_on(alias, day) %}
    ({{ alias }}.valid_from <= {{ day }} and ({{ alias }}.valid_to is null or {{ day }} < {{ alias }}.valid_to))
{% endmacro %}

{# SQL: the reasons of a class in reason_classes.csv; their kind is cancellation or failed_delivery. #}
{% macro reasons_of(kind, class) %}
    select distinct reason
    from {{ ref("stg_config__reason_classes") }}
    where kind = '{{ kind }}' and class = '{{ class }}'
{% endmacro %}

{# Whether a source ever had a file: one that never had is absent, and its metrics have no rows. #}
{% macro source_is_present(name) %}
    exists (
        select 1
        from {{ ref("stg_run__sources") }} as presence
        where presence.source = '{{ name }}' and presence.is_present
    )
{% endmacro %}

{# Whether landed files have every column that decides a metric: the metrics that they don't have no rows. #}
{% macro is_measured(metric) %}
    not exists (
        select 1 from {{ ref("int_unmeasured_metrics") }} as unmeasured where unmeasured.metric_id = {{ metric }}
    )
{% endmacro %}
