{#
    What dbt-spark doesn't do, or does for other formats than Parquet. dbt finds these by their prefix.
#}
{# Contracts name the types of the published store, where text is `varchar`; Spark wants a length with that word. #}
{% macro spark__get_empty_schema_sql(columns) %}
    select
        {% for column in columns.values() %}
            cast(null as {{ "string" if column.data_type == "varchar" else column.data_type }}) as {{ column.name }}
            {{ "," if not loop.last }}
        {% endfor %}
{% endmacro %}

{#
    Incremental models: tables partitioned by week, replaced by the strategy `replace_weeks`. The batch is computed into
    a table of its own first, so that a model that fails leaves its table as it was. A table of other columns than the
    model's is made anew, as the whole warehouse is on DuckDB when the code changes.
#}
{% materialization incremental, adapter = "spark" %}
    {% set target_relation = this.incorporate(type="table") %}
    {% set existing_relation = load_relation(this) %}
    {% set batch_relation = api.Relation.create(
        schema=this.schema, identifier=this.identifier ~ "__batch", type="table"
    ) %}
    {% if config.get("incremental_strategy") != "replace_weeks" %}
        {% do exceptions.raise_compiler_error("incremental models have the strategy replace_weeks") %}
    {% endif %}

    {{ run_hooks(pre_hooks) }}

    {% do adapter.drop_relation(batch_relation) %}
    {% call statement("main") %} {{ create_weekly_table_as(batch_relation, compiled_code) }} {% endcall %}

    {% set columns = adapter.get_columns_in_relation(batch_relation) %}
    {% set is_replaceable = (
        existing_relation is not none and existing_relation.is_table and not should_full_refresh()
    ) %}
    {% if is_replaceable %}
        {% set existing_columns = adapter.get_columns_in_relation(existing_relation) %}
        {% set is_replaceable = (
            existing_columns | map(attribute="quoted") | list == columns | map(attribute="quoted") | list
        ) %}
    {% endif %}
    {% if is_replaceable %}
        {% do get_incremental_replace_weeks_sql(
            {"target_relation": target_relation, "temp_relation": batch_relation, "dest_columns": columns}
        ) %}
        {% do adapter.drop_relation(batch_relation) %}
    {% else %}
        {% if existing_relation is not none %} {% do adapter.drop_relation(existing_relation) %}
        {% endif %}
        {% do adapter.rename_relation(batch_relation, target_relation) %}
    {% endif %}

    {{ run_hooks(post_hooks) }}
    {{ return({"relations": [target_relation]}) }}
{% endmaterialization %}

{#
    Spark has neither `delete` nor transactions for Parquet: the partitions of the weeks that the batch holds are
    overwritten, and a week of the run for which it holds none loses its partition. The batch is a finished table, so
    that no more than moving files can fail here (see the materialisation). Spark runs one statement at a
    time, hence nothing is returned.
#}
{% macro spark__replace_weeks_sql(arg_dict) %}
    {% set target, batch = arg_dict["target_relation"], arg_dict["temp_relation"] %}
    {% set columns = arg_dict["dest_columns"] | map(attribute="quoted") | join(", ") %}
    {% set weeks_without_rows %}
        select week_start
        from {{ source("inputs", "run_weeks") }}
        where week_start not in (select week_start from {{ batch }})
    {% endset %}
    {% do run_query("set spark.sql.sources.partitionOverwriteMode = dynamic") %}
    {% do run_query(
        "insert overwrite table " ~ target ~ " partition (week_start) select " ~ columns ~ " from " ~ batch
    ) %}
    {% for row in run_query(weeks_without_rows) %}
        {% do run_query("alter table " ~ target ~ " drop if exists partition (week_start = date'" ~ row[0] ~ "')") %}
    {% endfor %}
{% endmacro %}

{# SQL: a table of a model's rows, partitioned by their week. #}
{% macro create_weekly_table_as(relation, sql) %}
    {% if config.get("contract").enforced %}
        {{ get_assert_columns_equivalent(sql) }} {% set sql = get_select_subquery(sql) %}
    {% endif %}
    {{ "create table " ~ relation ~ " using parquet partitioned by (week_start) as " ~ sql }}
{% endmacro %}

{# Runs statements one by one on the project's own connection, for `dbt run-operation`. #}
{% macro run_statements(statements) %}
    {% for statement in statements %} {% do run_query(statement) %} {% endfor %}
{% endmacro %}
