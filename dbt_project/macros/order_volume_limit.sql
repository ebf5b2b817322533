{#
    SQL: orders with the steps that count for the order volume limit, from their sub-orders: when all of it was confirmed and
    handed over, and when the first of it was cancelled through the seller's fault. Not cut at A: all of it done as of A is
    the last of it done as of A, so that the orders can be cut, and not each sub-order.
    `sub_orders` has the columns `of`, by which orders are told apart beside seller_id and order_id; `faults` the reasons.
#}
{% macro ovl_order_steps(sub_orders, faults, of=[]) %}
    select
        {% for column in of %} {{ column }}, {% endfor %}
        seller_id,
        order_id,
        min(ordered_at) as created_at,
        case when count(*) = count(confirmed_at) then max(confirmed_at) end as confirmed_at,
        case when count(*) = count(handed_over_at) then max(handed_over_at) end as handed_over_at,
        min(fault_cancelled_at) as fault_cancelled_at,
        {{ first_by("cancellation_reason", "fault_cancelled_at") }} as fault_reason
    from
        (
            -- a step that a cancellation made needless, and that wasn't the seller's fault, is as good as done
            select
                {% for column in of %} {{ column }}, {% endfor %}
                seller_id,
                order_id,
                ordered_at,
                least(confirmed_at, case when not is_fault then cancelled_at end) as confirmed_at,
                least(shipped_at, case when not is_fault then cancelled_at end) as handed_over_at,
                case when is_fault then cancelled_at end as fault_cancelled_at,
                cancellation_reason
            from
                (
                    select
                        {{ sub_orders }}.*,
                        {{ faults }}.reason is not null
                        and {{ sub_orders }}.cancelled_by is distinct from 'customer' as is_fault
                    from {{ sub_orders }}
                    left join {{ faults }} on {{ sub_orders }}.cancellation_reason = {{ faults }}.reason
                ) as cancelled
        ) as steps
    group by {% for column in of %} {{ column }}, {% endfor %} seller_id, order_id
{% endmacro %}
