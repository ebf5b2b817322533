-- What the sub-orders of the day will say later, with no request behind it: shipped, delivered, cancelled, returned.
insert into later
with
    said as (
        select
            key, seller, place, line,
            unnest([
                if(chance(key, 'tells shipped') < 0.5, shipped_ms, null),
                if(chance(key, 'tells delivered') < 0.25, delivered_ms, null),
                if(chance(key, 'tells cancelled') < 0.8, cancelled_ms, null),
                if(chance(key, 'tells return') < 0.9, (delivered_ms + returned_ms) // 2, null),
                if(chance(key, 'tells returned') < 0.9, returned_ms, null)
            ]) as since_ms,
            unnest(['order_update', 'order_update', 'shipment_cancellation', 'return_create', 'return_update']::event[]) as event
        from sub_orders
        where has_logs
    ),

    logged as (
        select *, bits(key, 'said ' || event) as record_key, since_ms + 1000 + cast(record_key % 300000 as bigint) as logged_ms
        from said
    )

select logged_ms, event, seller, key, line, record_key
from logged
where since_ms is not null and logged_ms < getvariable('month_end_ms');
