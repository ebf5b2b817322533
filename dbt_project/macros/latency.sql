{# The hops between the stamps of a manifestation log, by name: the stamps at which they start and end. #}
{% macro latency_hops() %}
    {{
        return(
            {
                "t1_t2": ["t1_received_at", "t2_sos_notified_at"],
                "t2_t3": ["t2_sos_notified_at", "t3_label_created_at"],
                "t3_t4": ["t3_label_created_at", "t4_label_shared_at"],
                "t2_t4": ["t2_sos_notified_at", "t4_label_shared_at"],
                "t4_t5": ["t4_label_shared_at", "t5_label_sent_at"],
                "t1_t5": ["t1_received_at", "t5_label_sent_at"],
                "order_t1": ["ordered_at", "t1_received_at"],
            }
        )
    }}
{% endmacro %}

{# A relation of the scopes of latency figures, to be joined with `is_in_attempt_scope`. #}
{% macro attempt_scopes() %} (values ('all'), ('first_try')) as scopes(attempt_scope){% endmacro %}

{% macro is_in_attempt_scope(alias) %}(scopes.attempt_scope = 'all' or {{ alias }}.is_first_try){% endmacro %}

{# Whole milliseconds from start to finish, null where either is missing or they run backwards. #}
{% macro observed_lag_ms(start, finish) %}
    case when {{ start }} <= {{ finish }} then {{ lag_ms(start, finish) }} end
{% endmacro %}

{# Whole milliseconds as seconds with three decimals. #}
{% macro ms_to_seconds(ms) %}
    cast(cast({{ ms }} as decimal(18, 0)) * cast(0.001 as decimal(4, 3)) as decimal(18, 3))
{% endmacro %}

{# The average of `count` lags that sum to `total_ms`, in seconds, rounded half away from zero to whole milliseconds. #}
{% macro average_seconds(total_ms, count) %}
    {{ ms_to_seconds(exact_ratio(total_ms, count, 0, 1, "decimal(18,0)")) }}
{% endmacro %}

{#
    The change of a count against the day before in percent; null where the day before has none.
    It has no upper bound (from 1 call to 200,000), so it is wider than a rate.
#}
{% macro change_pct(now, before) %}
    {{ exact_ratio("(" ~ now ~ " - " ~ before ~ ")", before, 2, 100, "decimal(18,2)") }}
{% endmacro %}

{#
    The change of an average against the day before in percent, from the exact averages; null where that is 0 or missing.
    Totals times counts outgrow 64 bits.
#}
{% macro average_change_pct(total, count, total_before, count_before) %}
    {% set wide = wide_integer_type() %}
    {% set scaled = "cast(" ~ total ~ " as " ~ wide ~ ") * " ~ count_before %}
    {% set scaled_before = "cast(" ~ total_before ~ " as " ~ wide ~ ") * " ~ count %}
    {{ exact_ratio("(" ~ scaled ~ " - " ~ scaled_before ~ ")", scaled_before, 2, 100, "decimal(18,2)", wide) }}
{% endmacro %}
