{# One row per brand metric whose sources all had files, with every column that decides it, and its overall member. #}
{% for metric in brand_metrics() %}
    select
        '{{ metric.metric_id }}' as metric_id,
        '{{ metric.overall or "mall" }}' as overall_member,
        {{ "mall_segment" in metric.dimensions }} as has_segments,
        {{ "denominator" in metric }} as is_rate,
        {{ "denominator" in metric and metric.get("interval", true) }} as has_interval
    where
        {{ is_measured("'" ~ metric.metric_id ~ "'") }}
        {% for name in metric.sources %} and {{ source_is_present(name) }} {% endfor %}
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
