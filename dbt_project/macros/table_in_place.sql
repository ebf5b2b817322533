{#
    Tables between landing and marts, replaced in place and in one transaction. The adapter's own way builds beside the
    old table, renames twice and drops: a reader could go on meanwhile. Nobody reads the warehouse while it is written,
    and with some 50 tables the extra statements were a seventh of a small build.
#}
{% materialization table, adapter = "duckdb" %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type="table") -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if existing_relation is not none %} {% do adapter.drop_relation(existing_relation) %} {% endif %}
    {% call statement("main") -%} {{ create_table_as(False, target_relation, compiled_code) }} {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do adapter.commit() %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({"relations": [target_relation]}) }}
{% endmaterialization %}
