-- The day's sub-orders as rows of the source. Its own file holds each of them once: most as they stand at the end, 2 % as
-- they stood on the next morning. The file of updates (`is_update_file`) holds the newest version of these, and copies
-- of a few others that arrive damaged.
with
    picked as (
        select
            *,
            chance(key, 'exported early') < 0.02 as has_update,
            chance(key, 'damaged') < 0.0002 as is_damaged,
            if(getvariable('is_update_file') and is_damaged and not has_update, cast(bits(key, 'damage') % 3 as integer), null)
                as damage,
            if(
                has_update and not getvariable('is_update_file'),
                least(getvariable('exported_ms'), (getvariable('day') + 1) * 86400000 + 7200000),
                getvariable('exported_ms')
            ) as known_ms
        from sub_orders
        where not getvariable('is_update_file') or has_update or is_damaged
    ),

    known as (
        select
            * exclude (confirmed_ms, ready_ms, shipped_ms, delivered_ms, refused_ms, cancelled_ms, returned_ms),
            if(chance(order_key, 'pays late') < 0.85, 600000, 10800000) as pay_ms,
            if(
                chance(order_key, 'no payment step') < 0.02,
                null,
                least(ordered_ms + cast(pay_ms * chance(order_key, 'pays after') as bigint), accept_ms)
            ) as paid_ms,
            if(paid_ms <= known_ms, paid_ms, null) as pending_ms,
            -- an exporter's clock that disagrees
            if(
                chance(key, 'clock') < 0.003,
                if(confirmed_ms <= known_ms, ordered_ms - minutes_ms(1 + 180 * chance(key, 'clock by')), null),
                if(confirmed_ms <= known_ms, confirmed_ms, null)
            ) as confirmed_ms,
            if(ready_ms <= known_ms, ready_ms, null) as ready_ms,
            if(shipped_ms <= known_ms, shipped_ms, null) as shipped_ms,
            if(delivered_ms <= known_ms, delivered_ms, null) as delivered_ms,
            if(refused_ms <= known_ms, refused_ms, null) as refused_ms,
            if(cancelled_ms <= known_ms, cancelled_ms, null) as cancelled_ms,
            if(returned_ms <= known_ms, returned_ms, null) as returned_ms,
            if(damage = 0, 0, 1 + (chance(key, 'two pieces') < 0.14)::bigint + (chance(key, 'three pieces') < 0.04)::bigint)
                as quantity
        from picked
    ),

    chosen as (
        select *, sku_first + cast(floor(sku_count * pow(chance(key, 'sku'), 1.6)) as bigint) as wanted_sku
        from known
        inner join sellers using (seller)
    )

select
    sub_order_id(key, line) as sub_order_id,
    order_id(order_key) as order_id,
    seller_id,
    -- a seller's first product is always on sale
    if(
        damage = 1,
        null,
        'K' || padded(1 + if(ordered_ms >= listed_ms and ordered_ms < delisted_ms, wanted_sku, sku_first), 6)
    ) as sku_id,
    if(
        chance(order_key, 'guest') < 0.01,
        null,
        'U' || padded(1 + cast(floor(getvariable('users') * pow(chance(order_key, 'user'), 1.3)) as bigint), 7)
    ) as user_id,
    case
        when damage = 2 then 'pickup'
        when chance(key, 'fulfilled') < fulfilled_share then 'fulfillment_by'
        when chance(key, 'dropped') < 0.38 then 'drop_shipping'
        else 'cross_docking'
    end as shipment_type,
    quantity,
    if(
        chance(key, 'no value') < 0.005,
        null,
        cast(quantity * lognormal(36, 0.7, key, 'price') as decimal(18, 2))
    ) as item_value,
    epoch_ms(ordered_ms) as ordered_at,
    epoch_ms(pending_ms) as pending_at,
    epoch_ms(confirmed_ms) as confirmed_at,
    epoch_ms(ready_ms) as ready_to_ship_at,
    epoch_ms(shipped_ms) as shipped_at,
    epoch_ms(delivered_ms) as delivered_at,
    epoch_ms(cancelled_ms) as cancelled_at,
    if(
        cancelled_ms is null or chance(key, 'nobody named') < 0.01,
        null,
        ['external', 'customer', 'seller', 'marketplace', 'marketplace', 'marketplace'][cause]
    ) as cancelled_by,
    if(
        cancelled_ms is null or chance(key, 'no reason') < 0.03,
        null,
        one_of(getvariable('cancellation_reasons')[cause], chance(key, 'reason'))
    ) as cancellation_reason,
    epoch_ms(returned_ms) as returned_at,
    epoch_ms(refused_ms) as failed_delivery_at,
    if(
        refused_ms is null or chance(key, 'courier says nothing') < 0.06,
        null,
        one_of(getvariable('refusal_reasons'), pow(chance(key, 'refusal'), 1.5))
    ) as failed_delivery_reason,
    if(chance(order_key, 'no promise') < 0.04, null, epoch_ms(promised_ms)) as promised_ship_at,
    if(chance(order_key, 'no delivery promise') < 0.04, null, epoch_ms(promised_ms + hours_ms(24 * delivery_days)))
        as promised_delivery_at,
    if(chance(order_key, 'no estimate') < 0.05, null, delivery_days) as estimated_delivery_days,
    epoch_ms(
        least(
            known_ms,
            1000 + cast(key % 19000 as bigint) + greatest(
                ordered_ms, pending_ms, confirmed_ms, ready_ms, shipped_ms, delivered_ms, refused_ms, cancelled_ms, returned_ms
            )
        )
    ) as updated_at
from chosen
inner join skus on wanted_sku = sku
order by key
