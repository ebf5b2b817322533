{# One row per brand metric whose sources all had files, with every column that decides it, and its overall member. #}
{% for metric in metrics_of("brand") %}
    select
        '{{ metric.id }}' as metric_id,
        '{{ metric.overall }}' as overall_member,
        {{ "mall_segment" in metric.dimensions }} as has_segments,
        {{ "denominator" in metric }} as is_rate,
        {{ metric.interval or false }} as has_interval
    where
        {{ is_measured("'" ~ metric.id ~ "'") }}
        {% for name in metric.sources %} and {{ source_is_present(name) }} {% endfor %}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
