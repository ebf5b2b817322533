-- The day's records as rows of the source, in the order in which a log shipper collects them. The id is a UUID of
-- version 7: it begins with the time of logging, so ids sort in time. The late file of a day (`is_late_file`) holds what
-- its own file lacks, and copies of records that are in it: unchanged ones, and a few that arrive damaged.
with
    picked as (
        select
            *,
            case
                when record_key // 1000 % 1000 < 3 then 'late'
                when record_key // 1000 % 10000 = 1003 then 'copied'
                when record_key // 1000 % 10000 = 1004 then 'damaged'
                else 'on time'
            end as delivery,
            if(getvariable('is_late_file') and delivery = 'damaged', cast(record_key % 3 as integer), null) as damage,
            case flow when 'acceptance' then 1 when 'manifestation' then 2 else 3 end as reasons_at
        from records
        where if(getvariable('is_late_file'), delivery <> 'on time', delivery <> 'late')
        order by logged_ms, record_key  -- here rows are narrow: sorting them costs half
    )

select
    cast(
        cast(
            (cast((logged_ms << 16) | 28672 | cast(record_key & 4095 as bigint) as uhugeint) << 64)
            | (9223372036854775808 | (record_key >> 2))
            as uuid
        ) as varchar
    ) as log_id,
    epoch_ms(logged_ms) as logged_at,
    cast(event as varchar) as event_name,
    'R' || day_name(request_key) || '-' || padded(request_key, 8) as request_id,
    client_name as oms_client,
    if(damage = 0, null, seller_id) as seller_id,
    sub_order_id(sub_order_key, line) as sub_order_id,
    cast(flow as varchar) as flow,
    if(is_panel, 'supplier_panel', 'oms') as channel,
    case when damage = 1 then 'unknown' when is_ok then 'success' else 'failed' end as call_status,
    if(
        is_ok or chance(record_key, 'says why') < 0.03,
        null,
        -- the first reasons are the frequent ones, the last of the others is mapped nowhere
        if(
            chance(record_key, 'at fault') < oms_faults,
            one_of(getvariable('oms_reasons')[reasons_at], pow(chance(record_key, 'reason'), 4)),
            one_of(getvariable('other_reasons')[reasons_at], pow(chance(record_key, 'reason'), 4))
        )
    ) as failure_reason,
    if(damage = 2, 0, cast(attempt as bigint)) as attempt,
    if(
        attempt > 1 and chance(record_key, 'says why again') < 0.8,
        one_of(getvariable('retry_reasons'), chance(record_key, 'retry')),
        null
    ) as retry_reason,
    if(flow = 'manifestation', epoch_ms(called_ms), null) as t1_received_at,
    epoch_ms(called_ms + lag_2) as t2_sos_notified_at,
    epoch_ms(called_ms + lag_3) as t3_label_created_at,
    epoch_ms(called_ms + lag_4) as t4_label_shared_at,
    epoch_ms(called_ms + lag_5) as t5_label_sent_at
from picked
inner join sellers using (seller)
