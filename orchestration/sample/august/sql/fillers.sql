-- What completes the day to its exact counts: polls for whole requests, which carry their id, and polls and product
-- calls that belong to no sub-order, which carry none.
insert into records
with
    polled as (
        select *, unnest(range(share_of(getvariable('named_polls'), batch_no, getvariable('requests')))) as poll
        from batches
        where has_id
    ),

    named as (
        select
            bits(key, 'done yet ' || poll) as record_key,
            run_ms + cast(record_key % 18000000 as bigint) as logged_ms,
            'polling_event'::event as event,
            seller,
            getvariable('day') * 10000000 + batch_no + 1 as request_key
        from polled
    ),

    unnamed as (
        select
            bits(getvariable('day') * 10000000 + i, 'background') as record_key,
            case
                when chance(record_key, 'kind') < 0.5 then 'polling_event'
                when chance(record_key, 'kind') < 0.75 then 'sku_master'
                else 'sku_master_update'
            end::event as event,
            getvariable('day') * 86400000
            + case
                when event = 'polling_event' then cast(record_key % 86400000 as bigint)
                -- catalogues are sent in the morning
                else cast(86400000 * (0.5 + 0.5 * chance(record_key, 'early') + chance(record_key, 'late')) / 2 as bigint)
            end as logged_ms,
            slots.seller,
            null::bigint as request_key
        from range(getvariable('unnamed_calls')) as calls(i)
        inner join
            slots
            on slots.draw = 3 and slots.slot = cast(bits(getvariable('day') * 10000000 + i, 'caller') % 65536 as bigint)
    )

select
    logged_ms, logged_ms, event, null, false, chance(record_key, 'ok') >= 0.015, 1, record_key,
    null, null, null, null,
    seller, request_key, null, null
from (select * from named union all by name select * from unnamed);
