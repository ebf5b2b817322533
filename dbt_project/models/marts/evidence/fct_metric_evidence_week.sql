{{ config(materialized="table") }}
{#
    One row per week of the run, metric, seller, and sub-order or order that counts against the seller's part in the
    figure. Not incremental like the other marts: what is published lies beside the store, a file for each week.
#}
{% for family in evidence_families().values() %}
    select week_start, metric_id, seller_id, unit_id, unit, order_id, happened_at, due_at, detail
    from {{ ref(family.evidence) }}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
