-- The sub-orders of the day's batches, with all that happens to them until their last export. The lines of an order are
-- placed and handed over together; each is called for, fails, is cancelled and returned by itself.
-- The first sub-order of a batch is always manifested: a request without a manifestation call has no latency.
-- One thing is decided per step, so that no expression is repeated in those that build on it.
create or replace temp table sub_orders as
with
    numbered as (
        select *, unnest(range(size)) as place
        from batches
    ),

    lined as (select *, place % lines as line from numbered),

    keyed as (
        select
            * exclude (key, size, first_sub_order, lines),
            key as batch_key,
            getvariable('day') * 10000000 + 1 + first_sub_order + place as key,
            getvariable('day') * 10000000 + 1 + first_sub_order + place - line as order_key
        from lined
    ),

    timed as (
        select
            *,
            case
                when chance(order_key, 'time of day') < 0.5
                then 13 + 2.6 * normal(order_key, 'evening')
                when chance(order_key, 'time of day') < 0.8
                then 5 + 3 * normal(order_key, 'morning')
                else 24 * chance(order_key, 'any time')
            end as hour,
            -- the batch takes what came in until five minutes before
            greatest(0, run_ms - getvariable('day') * 86400000 - 300000) as until_ms
        from keyed
    ),

    clocked as (select *, (hours_ms(hour) % 86400000 + 86400000) % 86400000 as time_ms from timed),

    placed as (
        select
            clocked.* exclude (hour, time_ms, until_ms),
            getvariable('day') * 86400000
            + case
                when getvariable('is_first_day') then cast(until_ms * (time_ms / 86400000.0) as bigint)
                when getvariable('is_after_month') then time_ms // 2 - 43200000
                when time_ms < until_ms then time_ms
                else time_ms - 86400000
            end as ordered_ms,
            sellers.* exclude (seller, seller_id, client_name, client, user_type),
            client >= 0 as has_logs,
            client >= 0 and user_type < 3 as has_calls,
            run_ms + 120 * place as accept_ms
        from clocked
        inner join sellers using (seller)
    ),

    tried as (
        select
            *,
            misses(accept_failures, key, 'acceptance') as accept_misses,
            patience(key, 'acceptance') as accept_patience,
            misses(manifest_failures, key, 'manifestation') as manifest_misses,
            patience(key, 'manifestation') as manifest_patience
        from placed
    ),

    counted as (
        select
            * exclude (accept_misses, accept_patience, manifest_misses, manifest_patience),
            accept_misses <= accept_patience as is_accepted,
            1 + least(accept_misses, accept_patience) as accept_calls,
            manifest_misses <= manifest_patience as is_manifested,
            1 + least(manifest_misses, manifest_patience) as manifest_calls
        from tried
    ),

    answered as (
        select *, accept_ms + retry_ms(retry_minutes, accept_calls) as answered_ms
        from counted
    ),

    confirmed as (
        select
            *,
            case
                when is_accepted
                then answered_ms + seconds_ms(2 + 38 * chance(key, 'answer'))
                -- in the panel, where no call is logged
                when place = 0 or chance(key, 'accepted by hand') < 0.6
                then answered_ms + minutes_ms(5 + 45 * chance(key, 'by hand after'))
            end as confirmed_ms,
            -- whatever is packed by 19:00 gets its label on the same day
            run_ms
            + minutes_ms(
                greatest(
                    20,
                    least(
                        lognormal(24 * prepare_hours, 0.5, batch_key, 'packing'),
                        (19 * 60 - run_ms % 86400000 / 60000) * (0.5 + 0.5 * chance(batch_key, 'closing time'))
                    )
                )
            )
            + 120 * place as pack_ms
        from answered
    ),

    packed as (
        select *, if(confirmed_ms is null, null, greatest(pack_ms, confirmed_ms + 60000)) as manifest_ms
        from confirmed
    ),

    labelled as (
        select
            *,
            case
                when is_manifested
                then manifest_ms + retry_ms(retry_minutes, manifest_calls) + seconds_ms(30 + 60 * chance(key, 'label'))
                when chance(key, 'labelled by hand') < 0.5
                then manifest_ms + hours_ms(20)
            end as ready_ms,
            run_ms + hours_ms(4 + lognormal(handover_hours, 0.6, order_key, 'hand-over')) as handover_ms,
            ordered_ms + hours_ms(promise_hours) as promised_ms
        from packed
    ),

    shipped as (
        select *, if(ready_ms is null, null, greatest(handover_ms, ready_ms + 3600000)) as shipped_ms
        from labelled
    ),

    -- Who would cancel, and when: the payment, the customer, the seller, and the marketplace at three of its deadlines.
    -- A batch holds what nobody had cancelled by then; its first is cancelled only once it has been manifested.
    willing as (
        select
            *,
            shipped_ms + hours_ms(lognormal(delivery_hours, 0.35, order_key, 'travel')) as arrived_ms,
            greatest(run_ms + 1000, if(place = 0, manifest_ms + 1000, 0)) as from_ms,
            if(chance(key, 'not paid') < 0.003, run_ms + minutes_ms(6 + 170 * chance(key, 'not paid after')), null)
                as unpaid_ms,
            if(chance(key, 'regret') < 0.035, run_ms + 1000 + hours_ms(exponential(8, key, 'regret after')), null)
                as regret_ms,
            if(chance(key, 'refusal') < 1.4 * cancels, run_ms + hours_ms(0.5 + 19 * chance(key, 'refusal after')), null)
                as refusal_ms,
            if(confirmed_ms is null, ordered_ms + hours_ms(48 + 2.4 * chance(key, 'deadline')), null) as unconfirmed_ms,
            if(ready_ms is null, ordered_ms + hours_ms(96 + 2.4 * chance(key, 'deadline')), null) as unpacked_ms,
            if(chance(key, 'late') < 0.35, promised_ms + hours_ms(48 + 2.4 * chance(key, 'deadline')), null) as late_ms
        from shipped
    ),

    judged as (
        select
            *,
            coalesce(shipped_ms, 1000000000000000) - 1 as before_ms
        from willing
    ),

    -- at most one cancellation, of what hasn't been shipped
    caused as (
        select
            *,
            case
                when unpaid_ms between from_ms and before_ms then 1
                when regret_ms between from_ms and before_ms then 2
                when refusal_ms between from_ms and before_ms then 3
                when unconfirmed_ms between from_ms and before_ms then 4
                when unpacked_ms between from_ms and before_ms then 5
                when late_ms between from_ms and before_ms then 6
            end as cause
        from judged
    ),

    cancelled as (
        select
            *,
            case cause
                when 1 then unpaid_ms
                when 2 then regret_ms
                when 3 then refusal_ms
                when 4 then unconfirmed_ms
                when 5 then unpacked_ms
                when 6 then late_ms
            end as cancel_ms,
            chance(order_key, 'delivery fails') < 0.03 as is_refused
        from caused
    ),

    ended as (
        select *, least(getvariable('exported_ms') + 1, coalesce(cancel_ms, getvariable('exported_ms') + 1)) as end_ms
        from cancelled
    ),

    known as (
        select
            * exclude (confirmed_ms, ready_ms, shipped_ms),
            if(cancel_ms <= getvariable('exported_ms'), cancel_ms, null) as cancelled_ms,
            if(confirmed_ms < end_ms, confirmed_ms, null) as confirmed_ms,
            if(ready_ms < end_ms, ready_ms, null) as ready_ms,
            if(shipped_ms < end_ms, shipped_ms, null) as shipped_ms,
            if(arrived_ms < end_ms and not is_refused, arrived_ms, null) as delivered_ms,
            if(arrived_ms < end_ms and is_refused, arrived_ms, null) as refused_ms
        from ended
    ),

    returned as (
        select
            *,
            if(
                chance(key, 'return') < 0.065,
                delivered_ms + hours_ms(24 * least(21, greatest(0.5, lognormal(5.5, 0.6, key, 'return after')))),
                null
            ) as return_ms
        from known
    )

select
    batch_no, has_id, seller, place, key, order_key, line, has_calls, has_logs,
    accept_ms, accept_calls, is_accepted, panel_accepts, accepts_by_update,
    manifest_ms, manifest_calls, is_manifested, panel_manifests, manifests_by_update,
    ordered_ms, promised_ms, confirmed_ms, ready_ms, shipped_ms, delivered_ms, refused_ms, cancelled_ms, cause, end_ms,
    if(return_ms < end_ms, return_ms, null) as returned_ms
from returned;
