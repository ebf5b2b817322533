{# Whole-number division, for operands that are not negative. `/` is a fraction on every engine. #}
{% macro int_div(numerator, denominator) %}
    {{ return(adapter.dispatch("int_div")(numerator, denominator)) }}
{% endmacro %}

{% macro default__int_div(numerator, denominator) %} divide({{ numerator }}, {{ denominator }}){% endmacro %}

{% macro spark__int_div(numerator, denominator) %}(({{ numerator }}) div({{ denominator }})){% endmacro %}

{# The type of whole numbers that may outgrow 64 bits. #}
{% macro wide_integer_type() %} {{ return(adapter.dispatch("wide_integer_type")()) }}{% endmacro %}

{% macro default__wide_integer_type() %} {{ return("hugeint") }}{% endmacro %}

{% macro spark__wide_integer_type() %} {{ return("decimal(38,0)") }}{% endmacro %}

{#
    numerator / denominator, rounded half away from zero to `decimals` decimals from the exact whole numbers:
    1/800 in percent is 0.13, which no rounding of the nearest double gives. Null where the denominator is 0 or null.
    The numerator may be negative, the denominator may not; numerator x 2 x 10^decimals x factor must fit `whole`,
    the type of the whole numbers.
#}
{% macro exact_ratio(numerator, denominator, decimals=2, factor=1, type="decimal(18,2)", whole="bigint") %}
    case
        when ({{ denominator }}) > 0
        then
            cast(
                sign({{ numerator }}) * cast(
                    {{
                        int_div(
                            (2 * factor * 10**decimals)
                            ~ " * abs(cast("
                            ~ numerator
                            ~ " as "
                            ~ whole
                            ~ ")) + cast("
                            ~ denominator
                            ~ " as "
                            ~ whole
                            ~ ")",
                            "2 * cast(" ~ denominator ~ " as " ~ whole ~ ")",
                        )
                    }} as decimal(18, 0)
                )
                * cast({{ 10**-decimals }} as decimal(9, {{ decimals }})) as {{ type }}
            )
    end
{% endmacro %}

{# A rate in percent with two decimals. #}
{% macro percent(numerator, denominator, type="decimal(18,2)") %}
    {{ exact_ratio(numerator, denominator, 2, 100, type) }}
{% endmacro %}

{#
    A rate in hundred-millionths of a percent, rounded, a BIGINT: fine enough for what follows from many rates, and its sums
    don't depend on the order of the rows. Null where the denominator is 0.
#}
{% macro rate_e8(numerator, denominator) %}
    {% set whole = wide_integer_type() %}
    case
        when ({{ denominator }}) > 0
        then
            cast(
                {{
                    int_div(
                        (2 * 100 * 10**8)
                        ~ " * cast("
                        ~ numerator
                        ~ " as "
                        ~ whole
                        ~ ") + cast("
                        ~ denominator
                        ~ " as "
                        ~ whole
                        ~ ")",
                        "2 * cast(" ~ denominator ~ " as " ~ whole ~ ")",
                    )
                }} as bigint
            )
    end
{% endmacro %}

{# A number of points between 0 and 100. #}
{% macro cut_to_percent(points) %} least(greatest({{ points }}, 0), 100){% endmacro %}

{#
    One bound of the Wilson score interval, as a share from 0 to 1, not rounded; `sign` is '-' or '+', z the quantile of
    the normal distribution, 97.5 % unless said otherwise. The denominator is greater than 0.
    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.
#}
{% macro wilson_share(numerator, denominator, sign, z="1.959963984540054e0") %}
    {% set n = "cast(" ~ denominator ~ " as double)" %}
    {% set p = "(cast(" ~ numerator ~ " as double) / " ~ n ~ ")" %}
    least(
        1e0,
        greatest(
            0e0,
            (
                {{ p }} + {{ z }} * {{ z }} / (2 * {{ n }})
                {{ sign }} {{ z }}
                * sqrt({{ p }} * (1 - {{ p }}) / {{ n }} + {{ z }} * {{ z }} / (4 * {{ n }} * {{ n }}))
            )
            / (1 + {{ z }} * {{ z }} / {{ n }})
        )
    )
{% endmacro %}

{# One bound of the 95 % interval in percent with two decimals. #}
{% macro wilson_bound(numerator, denominator, sign, type="decimal(9,2)") %}
    case
        when ({{ denominator }}) > 0
        then cast(round({{ wilson_share(numerator, denominator, sign) }} * 100, 2) as {{ type }})
    end
{% endmacro %}

{# How a rate is shown to people. #}
{% macro display_rate(value) %}
    case when {{ value }} is null then 'No data available' else cast({{ value }} as string) || '%' end
{% endmacro %}
