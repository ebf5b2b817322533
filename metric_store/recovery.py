"""What stands against a seller and what would end it, in words: SQL over a published store, for command and report."""

from __future__ import annotations

#: Of the week $week for each seller and metric: family, the columns of fct_seller_recovery_week, and `lines`, a list of
#: sentences. A store of an earlier release doesn't say what the units are.
STANDING = """
    select
        family,
        fct_seller_recovery_week.*,
        case
            evidence_unit when 'order' then 'orders' when 'sub_order' then 'sub-orders' else 'orders or sub-orders'
        end as units_are,
        family = 'seller_grade' as is_of_grade,
        list_filter([
            case
                when coalesce(units, 0) = 0 then concat('Nothing to judge in ', week_start, '.')
                else concat(
                    format('{:,} of {:,} ', misses, units), units_are,
                    if(misses = 1, ' counts', ' count'), ' against it',
                    case
                        when is_on_target is null then '; it has no target.'
                        else concat(
                            ', ',
                            case
                                when misses_allowed is null then 'no number would do'
                                when misses_allowed = 0 then 'none may'
                                else format('at most {:,} may', misses_allowed)
                            end,
                            if(is_on_target, ': on target.', ': not on target.')
                        )
                    end
                )
            end,
            case
                when is_on_target is distinct from false then null
                when clean_units_needed is not null then concat(
                    format('{:,} more ', clean_units_needed), units_are, ' without a miss ',
                    if(is_of_grade, 'bring it back.', 'would have met it.')
                )
                else concat('100,000 more ', units_are, ' without a miss would not be enough.')
            end,
            case when is_of_grade and recovers_on is not null then concat(
                'As they leave the period: back on ', recovers_on, ', if nothing more counts against it.'
            ) end,
            case when next_units > 0 then concat(
                format('Of {:,} ', next_units), units_are, ' due in ', week_start + 7, format(', {:,}', next_misses),
                if(next_misses = 1, ' counts', ' count'), ' against it already.'
            ) end
        ], lambda line: line is not null) as lines
    from marts.fct_seller_recovery_week
    inner join (
        from marts.dim_metric union all by name select null::varchar as evidence_unit where false
    ) using (metric_id)
    where week_start = $week
"""

#: Of the week $week for each seller with a limit: seller_id, and `line`, what it is and what would end it.
LIMITS = """
    select
        seller_id,
        concat(
            format('Limited to {:,}', daily_order_limit), if(daily_order_limit = 1, ' order', ' orders'),
            ' a day in the week of ', applies_from, ', since ', limited_since, '; ',
            coalesce(
                'from ' || ends_on || ' on no more, if every week to come is assessable and met',
                'met in a row: ' || met_weeks_in_a_row
            )
        ) as line
    from marts.fct_seller_ovl_week
    left join (
        select seller_id, min(recovers_on) as ends_on
        from marts.fct_seller_recovery_week
        inner join marts.dim_metric using (metric_id)
        where week_start = $week and family = 'order_volume_limit'
        group by seller_id
    ) using (seller_id)
    where week_start = $week and is_limited
"""
