{#
    One row per week of the run, rule and scope: what the gate judges. `observed` is null where there is nothing to
    judge, and `note` says why; such a row passes.
#}
{% for rule in var("rules") %}
    select
        week_start,
        '{{ rule.id }}' as rule_id,
        scope,
        cast(observed as double) as observed,
        cast(note as string) as note
    from {{ ref("dq_" ~ rule.id) }}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
