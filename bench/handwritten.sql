-- The yardstick: the main weekly figures as one would write them by hand in DuckDB, straight from the raw files, in one
-- process. It keeps no history and judges nothing: no landing, quarantine, gate, restatement or publication, and of ten
-- sources it reads the three that these figures need. Tables and columns are named like the published ones.
--
-- What it leaves out, and takes for granted:
--   logs        without a required value, outside a closed set or with an attempt below 1; a log_id counts once
--   sub-orders  without a required value, outside a closed set or with a quantity below 1; the newest updated_at counts
--   weeks       are UTC, calculated three hours after they end, as the default settings say
--   files       have the formats and the order of columns of the sample; a value of another type stops it
--
-- The variable `inbox` names the folder.

create schema yardstick;

create macro percent(part, whole) as  -- rounded half away from zero, from the whole numbers
    case when whole > 0 then cast((20000 * part + whole) // (2 * whole) * 0.01 as decimal(18, 2)) end;

create macro seconds(ms) as cast(ms * 0.001 as decimal(18, 3));

create temp table logs as
with
    read as (
        select
            log_id, logged_at, event_name, request_id, oms_client, seller_id, sub_order_id, flow, channel, call_status,
            attempt, t1_received_at, t2_sos_notified_at, t3_label_created_at, t4_label_shared_at, t5_label_sent_at
        from read_parquet(getvariable('inbox') || '/oms_logs/**/*.parquet')
        union all by name
        select *
        from read_json(
            getvariable('inbox') || '/oms_logs/**/*.jsonl.zst',
            format = 'newline_delimited',
            columns = {
                log_id: 'varchar', logged_at: 'timestamp', event_name: 'varchar', request_id: 'varchar',
                oms_client: 'varchar', seller_id: 'varchar', sub_order_id: 'varchar', flow: 'varchar',
                channel: 'varchar', call_status: 'varchar', attempt: 'bigint', t1_received_at: 'timestamp',
                t2_sos_notified_at: 'timestamp', t3_label_created_at: 'timestamp', t4_label_shared_at: 'timestamp',
                t5_label_sent_at: 'timestamp'
            }
        )
    )
select distinct on (log_id) *, cast(date_trunc('week', logged_at) as date) as week_start
from read
where
    log_id is not null
    and logged_at is not null
    and oms_client is not null
    and seller_id is not null
    and attempt >= 1
    and call_status in ('success', 'failed')
    and channel in ('oms', 'supplier_panel')
    and coalesce(flow, 'acceptance') in ('acceptance', 'manifestation')
    and event_name in (
        'order_update', 'order_create', 'label_generated', 'return_update', 'return_create', 'shipment_cancellation',
        'polling_event', 'sku_master', 'sku_master_update'
    );

create temp table sub_orders as
select distinct on (sub_order_id) sub_order_id, seller_id, ordered_at, shipped_at
from read_csv(
    getvariable('inbox') || '/seller_orders/**/*.csv.gz',
    auto_detect = false,  -- to guess the format of each file takes longer than to read it
    header = true,
    columns = {
        sub_order_id: 'varchar', order_id: 'varchar', seller_id: 'varchar', sku_id: 'varchar', user_id: 'varchar',
        shipment_type: 'varchar', quantity: 'bigint', item_value: 'varchar', ordered_at: 'timestamp',
        pending_at: 'varchar', confirmed_at: 'varchar', ready_to_ship_at: 'varchar', shipped_at: 'timestamp',
        delivered_at: 'varchar', cancelled_at: 'varchar', cancelled_by: 'varchar', cancellation_reason: 'varchar',
        returned_at: 'varchar', failed_delivery_at: 'varchar', failed_delivery_reason: 'varchar',
        promised_ship_at: 'varchar', promised_delivery_at: 'varchar', estimated_delivery_days: 'varchar',
        updated_at: 'timestamp'
    }
)
where
    sub_order_id is not null
    and order_id is not null
    and seller_id is not null
    and sku_id is not null
    and ordered_at is not null
    and updated_at is not null
    and shipment_type in ('cross_docking', 'drop_shipping', 'fulfillment_by')
    and quantity >= 1
order by sub_order_id, updated_at desc;

create temp table weeks as
select
    week_start,
    week_start + interval 7 days as ends_at,
    week_start + interval '7 days 3 hours' as calculated_at
from (select distinct week_start from logs);

-- a seller's segment and OMS client as of the calculation, else its first ones
create temp table sellers as
select distinct on (week_start, seller_id) week_start, seller_id, mall_segment, oms_client
from weeks
cross join read_csv(getvariable('inbox') || '/sellers/**/*.csv', types = {updated_at: 'timestamp'})
order by
    week_start,
    seller_id,
    updated_at > calculated_at,
    case when updated_at <= calculated_at then updated_at end desc,
    updated_at;

create temp table user_types as
select
    week_start,
    seller_id,
    case
        when bool_or(channel = 'oms') and bool_or(channel <> 'oms') then 'non_parallel'
        when bool_or(channel = 'oms') then 'parallel'
        when bool_or(channel <> 'oms') then 'panel_only'
        else 'no_flow'
    end as user_type
from (select week_start, seller_id, case when flow is not null then channel end as channel from logs)
group by all;

-- null ratio by client and event
create table yardstick.fct_null_request_id_week as
select
    week_start,
    oms_client,
    event_name,
    count(*) as records,
    count(*) filter (where request_id is null) as null_records,
    percent(null_records, records) as null_rate
from logs
group by week_start, oms_client, event_name;

-- calls of manifestation by day and client
create table yardstick.fct_manifest_call_day as
select
    cast(logged_at as date) as day,
    coalesce(oms_client, 'all') as oms_client,
    count(*) filter (where call_status = 'success') as success,
    count(*) filter (where call_status = 'failed') as failed,
    count(*) as total,
    percent(failed, total) as failure_rate
from logs
where flow = 'manifestation'
group by grouping sets ((cast(logged_at as date), oms_client), (cast(logged_at as date)));

-- exact nearest-rank latency percentiles by user type and hop: the lags of each group sorted once, and looked up by rank
create table yardstick.fct_request_latency_week as
with
    calls as (
        select
            logs.week_start,
            user_type,
            request_id,
            call_status = 'success' and attempt = 1 as is_first_try,
            case when call_status = 'success' then epoch_us(ordered_at) end as t0,
            epoch_us(t1_received_at) as t1,
            epoch_us(t2_sos_notified_at) as t2,
            epoch_us(t3_label_created_at) as t3,
            epoch_us(t4_label_shared_at) as t4,
            epoch_us(t5_label_sent_at) as t5
        from logs
        left join user_types using (week_start, seller_id)
        left join sub_orders using (sub_order_id)
        where flow = 'manifestation' and request_id is not null
    ),
    lags as (
        unpivot (
            select
                week_start, user_type, request_id, is_first_try,
                t1 - t0 as order_t1, t2 - t1 as t1_t2, t3 - t2 as t2_t3, t4 - t3 as t3_t4, t4 - t2 as t2_t4,
                t5 - t4 as t4_t5, t5 - t1 as t1_t5
            from calls
        )
        on order_t1, t1_t2, t2_t3, t3_t4, t2_t4, t4_t5, t1_t5
        into name hop value us
    ),
    observations as (
        select week_start, user_type, request_id, hop, us // 1000 as ms, 'all' as attempt_scope
        from lags
        where us >= 0
        union all
        select week_start, user_type, request_id, hop, us // 1000 as ms, 'first_try' as attempt_scope
        from lags
        where us >= 0 and is_first_try
    ),
    sorted as (
        select
            week_start,
            coalesce(user_type, 'overall') as user_type,
            hop,
            attempt_scope,
            count(distinct request_id) as request_ids,
            count(*) as n,
            sum(ms) as total,
            list_sort(list(ms)) as ms
        from observations
        group by grouping sets ((week_start, user_type, hop, attempt_scope), (week_start, hop, attempt_scope))
    )
select
    week_start,
    user_type,
    hop,
    attempt_scope,
    request_ids,
    n as observations,
    seconds((2 * total + n) // (2 * n)) as avg_seconds,
    seconds(ms[(50 * n + 99) // 100]) as p50_seconds,
    seconds(ms[(75 * n + 99) // 100]) as p75_seconds,
    seconds(ms[(90 * n + 99) // 100]) as p90_seconds,
    seconds(ms[(95 * n + 99) // 100]) as p95_seconds,
    seconds(ms[(99 * n + 99) // 100]) as p99_seconds,
    seconds(ms[n]) as max_seconds
from sorted;

create table yardstick.fct_metric_week (
    week_start date, metric_id varchar, dimension varchar, member varchar,
    numerator bigint, denominator bigint, value decimal(18, 2)
);

-- distinct requests
insert into yardstick.fct_metric_week
select
    week_start,
    'request_ids_processed',
    case when user_type is not null then 'user_type' when oms_client is not null then 'oms_client' else 'overall' end,
    coalesce(user_type, oms_client, 'all'),
    count(distinct request_id) as requests,
    null,
    requests
from logs
left join user_types using (week_start, seller_id)
where request_id is not null
group by grouping sets ((week_start), (week_start, user_type), (week_start, oms_client));

-- sub-orders per request
insert into yardstick.fct_metric_week
select week_start, 'max_sub_orders_per_request', 'overall', 'all', max(sub_orders), null, max(sub_orders)
from (
    select week_start, request_id, count(distinct sub_order_id) as sub_orders
    from logs
    where request_id is not null
    group by week_start, request_id
)
group by week_start;

-- o2d_ratio by segment; every segment has a row
insert into yardstick.fct_metric_week
with
    orders_of_week as (
        select week_start, mall_segment, sub_order_id, shipped_at <= calculated_at as is_shipped
        from weeks
        inner join sub_orders on ordered_at >= week_start and ordered_at < ends_at
        inner join sellers using (week_start, seller_id)
        where mall_segment is not null
    ),
    segments as (select week_start, unnest(['anchor', 'focus', 'non_focus']) as mall_segment from weeks)
select
    week_start,
    'o2d_ratio',
    if(mall_segment is null, 'overall', 'mall_segment'),
    coalesce(mall_segment, 'mall'),
    count(*) filter (where is_shipped) as shipped,
    count(sub_order_id) as placed,
    percent(shipped, placed)
from segments
left join orders_of_week using (week_start, mall_segment)
group by grouping sets ((week_start), (week_start, mall_segment));

-- acceptance: the outcome of every placed sub-order of a seller with an OMS client
insert into yardstick.fct_metric_week
with
    orders_of_week as (
        select week_start, calculated_at, sub_order_id, oms_client
        from weeks
        inner join sub_orders on ordered_at >= week_start and ordered_at < ends_at
        inner join sellers using (week_start, seller_id)
        where oms_client is not null
    ),
    outcomes as (
        select
            orders_of_week.week_start,
            orders_of_week.sub_order_id,
            orders_of_week.oms_client,
            -- null where nobody called
            bool_or(call_status = 'success') as is_accepted
        from orders_of_week
        left join
            logs
            on orders_of_week.sub_order_id = logs.sub_order_id
            and flow = 'acceptance'
            and logged_at >= orders_of_week.week_start
            and logged_at <= calculated_at
        group by all
    )
select
    week_start,
    'acceptance_failure_rate',
    if(oms_client is null, 'overall', 'oms_client'),
    coalesce(oms_client, 'all'),
    count(*) filter (where not is_accepted) as failed,
    count(*) as placed,
    percent(failed, placed)
from outcomes
group by grouping sets ((week_start), (week_start, oms_client));
