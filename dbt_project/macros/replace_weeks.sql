{#
    Incremental strategy `replace_weeks`: the rows of the run's weeks are replaced as a whole.
    Built-in `delete+insert` deletes only keys that the new batch holds: a week whose rows became fewer would keep old ones.
    A model may also bring rows of weeks next to the run's. On DuckDB both statements run in one transaction.
#}
{% macro get_incremental_replace_weeks_sql(arg_dict) %}
    {{ return(adapter.dispatch("replace_weeks_sql")(arg_dict)) }}
{% endmacro %}

{% macro default__replace_weeks_sql(arg_dict) %}
    {% set columns = arg_dict["dest_columns"] | map(attribute="quoted") | join(", ") %}
    delete from {{ arg_dict["target_relation"] }}
    where
        week_start in (select week_start from {{ source("inputs", "run_weeks") }})
        or week_start in (select week_start from {{ arg_dict["temp_relation"] }})
    ;
    insert into {{ arg_dict["target_relation"] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict["temp_relation"] }}
{% endmacro %}
