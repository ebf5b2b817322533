-- The log records of the day: the calls of its batches, and what sub-orders of this and earlier days have to say.
-- `request_key` is null where no request id is sent. lag_2 to lag_5: from t1 to the later stamps, null where missing.
create or replace temp table records as
with
    accepting as (
        select *, unnest(range(1, accept_calls + 1)) as attempt
        from sub_orders
        inner join sellers using (seller)
        where has_calls
    ),

    acceptance as (
        select
            accept_ms + retry_ms(retry_minutes, attempt) as called_ms,
            if(accepts_by_update, 'order_update', 'order_create')::event as event,
            'acceptance'::flow as flow,
            panel_accepts as is_panel,
            is_accepted and attempt = accept_calls as is_ok,
            attempt,
            bits(key, 'acceptance ' || attempt) as record_key,
            called_ms + 50 + cast(record_key % 2000 as bigint) as logged_ms,
            null::bigint as lag_2, null::bigint as lag_3, null::bigint as lag_4, null::bigint as lag_5,
            seller, has_id, batch_no, key, line, end_ms
        from accepting
    ),

    manifesting as (
        select *, unnest(range(1, manifest_calls + 1)) as attempt
        from sub_orders
        inner join sellers using (seller)
        where has_calls and manifest_ms is not null
    ),

    hopping as (
        select
            manifest_ms + retry_ms(retry_minutes, attempt) as called_ms,
            is_manifested and attempt = manifest_calls as is_ok,
            bits(key, 'manifestation ' || attempt) as record_key,
            attempt, manifests_by_update, panel_manifests, hop_seconds, label_seconds, restlessness,
            seller, has_id, batch_no, key, line, end_ms
        from manifesting
    ),

    hopped as (
        select
            *,
            -- a failed call ends on its way
            if(is_ok, 5, 2 + cast(record_key % 3 as integer)) as reached,
            hop_ms(record_key, 't2', hop_seconds, restlessness, called_ms) as to_2,
            hop_ms(record_key, 't3', label_seconds, restlessness, called_ms) as to_3,
            hop_ms(record_key, 't4', label_seconds, restlessness, called_ms) as to_4,
            hop_ms(record_key, 't5', label_seconds, restlessness, called_ms) as to_5
        from hopping
    ),

    stamped as (
        select
            * replace (to_2 + to_3 as to_3, to_2 + to_3 + to_4 as to_4, to_2 + to_3 + to_4 + to_5 as to_5),
            if(manifests_by_update, 'order_update', 'label_generated')::event as event
        from hopped
    ),

    manifestation as (
        select
            called_ms, event, 'manifestation'::flow as flow, panel_manifests as is_panel, is_ok, attempt, record_key,
            called_ms + case reached when 2 then to_2 when 3 then to_3 when 4 then to_4 else to_5 end
            + 5 + cast(record_key % 200 as bigint) as logged_ms,
            -- first attempts have t2, so that every request is seen on its first hop
            if(attempt = 1 or chance(record_key, 'loses t2') >= 0.03, to_2, null) as lag_2,
            case
                when reached < 3 or chance(record_key, 'loses t3') < 0.015 then null
                -- clocks that disagree
                when chance(record_key, 'clock') < 0.005 then to_2 - 10 - cast(record_key % 2000 as bigint)
                else to_3
            end as lag_3,
            if(reached < 4 or chance(record_key, 'loses t4') < 0.015, null, to_4) as lag_4,
            if(reached < 5, null, to_5) as lag_5,
            seller, has_id, batch_no, key, line, end_ms
        from stamped
    ),

    told as (
        select * from (
            select
                confirmed_ms + 1000 + cast(bits(key, 'tells confirmed') % 20000 as bigint) as logged_ms,
                'order_update'::event as event, panel_accepts as is_panel, bits(key, 'tells confirmed') as record_key,
                seller, has_id, batch_no, key, line, end_ms
            from sub_orders
            where has_calls and is_accepted and confirmed_ms is not null and chance(key, 'is told of') < 0.9
            union all
            select
                ready_ms + 1000 + cast(bits(key, 'tells ready') % 60000 as bigint),
                'order_update', panel_manifests, bits(key, 'tells ready'),
                seller, has_id, batch_no, key, line, end_ms
            from sub_orders
            where has_calls and is_manifested and ready_ms is not null and chance(key, 'is ready') < 0.9
            union all
            select
                accept_ms + 30000 + 480000 * poll + cast(bits(key, 'accepted yet ' || poll) % 480000 as bigint),
                'polling_event', panel_accepts, bits(key, 'accepted yet ' || poll),
                seller, has_id, batch_no, key, line, end_ms
            from (
                select *, unnest(range(cast(floor(4 * chance(key, 'polls for acceptance')) as bigint))) as poll
                from sub_orders
                where has_calls
            )
            union all
            select
                manifest_ms + 20000 + 120000 * poll + cast(bits(key, 'labelled yet ' || poll) % 120000 as bigint),
                'polling_event', panel_manifests, bits(key, 'labelled yet ' || poll),
                seller, has_id, batch_no, key, line, end_ms
            from (
                select *, unnest(range(cast(floor(5 * chance(key, 'polls for the label')) as bigint))) as poll
                from sub_orders
                where has_calls and manifest_ms is not null
            )
        )
    ),

    of_batches as (
        select * from acceptance
        union all
        select * from manifestation
        union all
        select
            logged_ms as called_ms, event, null::flow as flow, is_panel,
            chance(record_key, 'ok') >= 0.015 as is_ok, 1 as attempt, record_key, logged_ms,
            null, null, null, null,
            seller, has_id, batch_no, key, line, end_ms
        from told
    )

select
    called_ms, logged_ms, cast(event as event) as event, flow, is_panel, is_ok, cast(attempt as tinyint) as attempt, record_key,
    cast(lag_2 as integer) as lag_2, cast(lag_3 as integer) as lag_3,
    cast(lag_4 as integer) as lag_4, cast(lag_5 as integer) as lag_5,
    cast(seller as smallint) as seller,
    if(has_id, getvariable('day') * 10000000 + batch_no + 1, null) as request_key,
    key as sub_order_key, cast(line as tinyint) as line
from of_batches
where called_ms < end_ms
union all
select
    logged_ms, logged_ms, event, null, false, chance(record_key, 'ok') >= 0.015, 1, record_key,
    null, null, null, null,
    seller, null, key, line
from later
where logged_ms < (getvariable('day') + 1) * 86400000;

create or replace temp table later as select * from later where logged_ms >= (getvariable('day') + 1) * 86400000;
