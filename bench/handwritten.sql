-- The yardstick: the main weekly figures as one would write them by hand in DuckDB, straight from the raw files of the
-- sample scenario `august`, in one process. It keeps no history and judges nothing: no landing, quarantine, gate,
-- restatement or publication, and of ten sources it reads the three that these figures need. Tables and columns are
-- named like the published ones. It reads each log file as often as a figure needs it, and only the columns of that
-- figure: nobody would copy 237 million records into a table first.
--
-- What it leaves out, and takes for granted:
--   logs        a day's file holds no log_id twice; of the late files count the records that no day's file holds.
--               Without a required value, outside a closed set or with an attempt below 1 a record doesn't count
--   sub-orders  without a required value, outside a closed set or with a quantity below 1; the newest updated_at counts
--   weeks       are UTC, calculated three hours after they end, as the default settings say; only those with logs on
--               all seven days are computed
--   files       have the formats and the types of the sample; a value of another type stops it
--
-- The variable `inbox` names the folder.

create schema yardstick;

create macro percent(part, whole) as  -- rounded half away from zero, from the whole numbers
    case when whole > 0 then cast((20000 * part + whole) // (2 * whole) * 0.01 as decimal(18, 2)) end;

create macro seconds(ms) as cast(ms * 0.001 as decimal(18, 3));

create macro sound_logs(files) as table
    select *
    from read_parquet(getvariable('inbox') || '/oms_logs/**/' || files)
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
            'order_update', 'order_create', 'label_generated', 'return_update', 'return_create',
            'shipment_cancellation', 'polling_event', 'sku_master', 'sku_master_update'
        );

create temp table late_logs as select distinct on (log_id) * from sound_logs('*-late.parquet');

delete from late_logs
where log_id in (
    select log_id from sound_logs('????-??-??.parquet') where log_id in (select log_id from late_logs)
);

create temp view logs as
select *, cast(date_trunc('week', logged_at) as date) as week_start from sound_logs('????-??-??.parquet')
union all by name
select *, cast(date_trunc('week', logged_at) as date) as week_start from late_logs;

create temp table sub_orders as
select distinct on (sub_order_id)
    sub_order_id, seller_id, ordered_at, shipped_at, cast(date_trunc('week', ordered_at) as date) as week_start
from read_parquet(getvariable('inbox') || '/seller_orders/**/*.parquet')
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

-- one look at the logs for everything that is counted by seller and day
create temp table counts as
select
    week_start, cast(logged_at as date) as day, oms_client, seller_id, event_name, flow, channel, call_status,
    count(*) as records,
    count(request_id) as with_request_id
from logs
group by all;

create temp table weeks as
select
    week_start,
    week_start + interval 7 days as ends_at,
    week_start + interval '7 days 3 hours' as calculated_at
from counts
group by week_start
having count(distinct day) = 7;

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
        when bool_or(is_oms) and bool_or(not is_oms) then 'non_parallel'
        when bool_or(is_oms) then 'parallel'
        when bool_or(not is_oms) then 'panel_only'
        else 'no_flow'
    end as user_type
from (select week_start, seller_id, case when flow is not null then channel = 'oms' end as is_oms from counts)
group by week_start, seller_id;

-- null ratio by client and event
create table yardstick.fct_null_request_id_week as
select
    week_start,
    oms_client,
    event_name,
    sum(records) as records,
    sum(records - with_request_id) as null_records,
    percent(null_records, sum(records)) as null_rate
from counts
semi join weeks using (week_start)
group by week_start, oms_client, event_name;

-- calls of manifestation by day and client
create table yardstick.fct_manifest_call_day as
select
    day,
    coalesce(oms_client, 'all') as oms_client,
    coalesce(sum(records) filter (where call_status = 'success'), 0) as success,
    coalesce(sum(records) filter (where call_status = 'failed'), 0) as failed,
    sum(records) as total,
    percent(failed, total) as failure_rate
from counts
semi join weeks using (week_start)
where flow = 'manifestation'
group by grouping sets ((day, oms_client), (day));

-- exact nearest-rank latency percentiles by user type and hop: the lags of each group sorted once, and looked up by
-- rank; hop by hop, because the lags of all hops together don't fit into the memory of a small machine
create temp table lags as
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
        semi join weeks using (week_start)
        left join user_types on logs.week_start = user_types.week_start and logs.seller_id = user_types.seller_id
        left join sub_orders on logs.sub_order_id = sub_orders.sub_order_id
        where flow = 'manifestation' and request_id is not null
    )
select
    week_start, user_type, request_id, is_first_try,
    {
        order_t1: t1 - t0, t1_t2: t2 - t1, t2_t3: t3 - t2, t3_t4: t4 - t3, t2_t4: t4 - t2, t4_t5: t5 - t4, t1_t5: t5 - t1
    } as us
from calls;

create macro latency_of(hop_name) as table
with
    observations as (
        select week_start, user_type, request_id, is_first_try, us[hop_name] // 1000 as ms
        from lags
        where us[hop_name] >= 0
    ),
    scoped as (
        select *, 'all' as attempt_scope from observations
        union all
        select *, 'first_try' as attempt_scope from observations where is_first_try
    ),
    sorted as (
        select
            week_start,
            coalesce(user_type, 'overall') as user_type,
            attempt_scope,
            count(distinct request_id) as request_ids,
            count(*) as n,
            sum(ms) as total,
            list_sort(list(ms)) as ms
        from scoped
        group by grouping sets ((week_start, user_type, attempt_scope), (week_start, attempt_scope))
    )
select
    week_start,
    user_type,
    hop_name as hop,
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

create table yardstick.fct_request_latency_week as from latency_of('t1_t2');
insert into yardstick.fct_request_latency_week from latency_of('t2_t3');
insert into yardstick.fct_request_latency_week from latency_of('t3_t4');
insert into yardstick.fct_request_latency_week from latency_of('t2_t4');
insert into yardstick.fct_request_latency_week from latency_of('t4_t5');
insert into yardstick.fct_request_latency_week from latency_of('t1_t5');
insert into yardstick.fct_request_latency_week from latency_of('order_t1');
drop table lags;

create table yardstick.fct_metric_week (
    week_start date, metric_id varchar, dimension varchar, member varchar,
    numerator bigint, denominator bigint, value decimal(18, 2)
);

-- distinct requests, and sub-orders per request: few rows for each request before they are counted
create temp table requests as
select week_start, request_id, seller_id, oms_client, sub_order_id
from logs
semi join weeks using (week_start)
where request_id is not null
group by all;

insert into yardstick.fct_metric_week
select
    week_start,
    'request_ids_processed',
    case when user_type is not null then 'user_type' when oms_client is not null then 'oms_client' else 'overall' end,
    coalesce(user_type, oms_client, 'all'),
    count(distinct request_id) as requests,
    null,
    requests
from (
    select distinct week_start, request_id, user_type, oms_client
    from requests
    left join user_types using (week_start, seller_id)
)
group by grouping sets ((week_start), (week_start, user_type), (week_start, oms_client));

insert into yardstick.fct_metric_week
select week_start, 'max_sub_orders_per_request', 'overall', 'all', max(sub_orders), null, max(sub_orders)
from (
    select week_start, request_id, count(distinct sub_order_id) as sub_orders
    from requests
    group by week_start, request_id
)
group by week_start;

drop table requests;

-- o2d_ratio by segment; every segment has a row
insert into yardstick.fct_metric_week
with
    orders_of_week as (
        select week_start, mall_segment, sub_order_id, shipped_at <= calculated_at as is_shipped
        from sub_orders
        inner join weeks using (week_start)
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
        from sub_orders
        inner join weeks using (week_start)
        inner join sellers using (week_start, seller_id)
        where oms_client is not null
    ),
    calls as (select sub_order_id, logged_at, call_status from logs where flow = 'acceptance'),
    outcomes as (
        select
            week_start,
            orders_of_week.sub_order_id,
            oms_client,
            -- null where nobody called
            bool_or(call_status = 'success') as is_accepted
        from orders_of_week
        left join
            calls
            on orders_of_week.sub_order_id = calls.sub_order_id
            and logged_at >= week_start
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

-- manifestation: the outcome of every sub-order of the Mall in the week of its first call
insert into yardstick.fct_metric_week
with
    calls as (
        select week_start, sub_order_id, logged_at, call_status = 'success' as is_success
        from logs
        where flow = 'manifestation' and sub_order_id is not null
    ),
    called as (
        select
            week_start,
            sub_order_id,
            lag(max(logged_at)) over (partition by sub_order_id order by week_start) as called_before
        from calls
        group by week_start, sub_order_id
    ),
    outcomes as (
        select
            called.week_start,
            called.sub_order_id,
            coalesce(sellers.oms_client, 'unknown') as oms_client,
            mall_segment,
            bool_or(is_success) as is_manifested
        from called
        inner join weeks using (week_start)
        inner join sub_orders on called.sub_order_id = sub_orders.sub_order_id
        inner join sellers on called.week_start = sellers.week_start and sub_orders.seller_id = sellers.seller_id
        inner join
            calls
            on called.sub_order_id = calls.sub_order_id
            and logged_at >= called.week_start
            and logged_at <= calculated_at
        where mall_segment is not null and (called_before is null or called_before < called.week_start - interval 28 days)
        group by all
    ),
    counted as (
        select
            week_start,
            mall_segment,
            oms_client,
            count(*) filter (where not is_manifested) as failed,
            count(*) as manifested
        from outcomes
        group by grouping sets ((week_start), (week_start, mall_segment), (week_start, oms_client))
    )
select
    week_start,
    'manifestation_failure_rate',
    case when mall_segment is not null then 'mall_segment' when oms_client is not null then 'oms_client' else 'overall' end,
    coalesce(mall_segment, oms_client, 'mall'),
    failed,
    manifested,
    percent(failed, manifested)
from counted;
