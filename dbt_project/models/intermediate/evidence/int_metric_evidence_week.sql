{#
    One row per week, metric, seller, and sub-order or order that counts against the seller's part in the figure, with the
    time that it had, from `had_from` until `had_until`: null where no incident can excuse it.
#}
{% for family in var("metric_families") | selectattr("evidence") %}
    select week_start, metric_id, seller_id, unit_id, unit, order_id, happened_at, due_at, detail, had_from, had_until
    from {{ ref(family.evidence) }} as evidence
    where {{ is_measured("evidence.metric_id") }}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
