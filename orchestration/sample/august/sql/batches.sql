-- The batches of a day: what a seller's OMS, or its staff in the supplier panel, takes over in one go, one seller each.
-- `requests` of them carry a request id, `parallel_requests` of these are of parallel users; the others take up what
-- remains of the day's sub-orders.
create or replace temp table batches as
with
    named as (
        select
            i as batch_no,
            true as has_id,
            if(share_of(getvariable('parallel_requests'), i, getvariable('requests')) = 1, 0, 1) as draw,
            case
                when i = getvariable('full_request') then getvariable('max_sub_orders')
                -- one in each of as many equal parts of the distribution as there are requests: no day is far from the mean
                else least(
                    getvariable('largest_drawn'),
                    cast(floor(pow(
                        (row_number() over (order by bits(i, getvariable('day') || ' size'), i) - chance(i, getvariable('day') || ' part'))
                        / getvariable('requests'),
                        -1 / getvariable('exponent')
                    )) as bigint)
                )
            end as size,
            (i + chance(i, getvariable('day') || ' position')) / getvariable('requests') as position
        from range(getvariable('requests')) as requests(i)
    ),

    remaining as (select getvariable('sub_orders') - coalesce(sum(size), 0)::bigint as sub_orders from named),

    drawn as (
        select
            getvariable('requests') + i as batch_no,
            least(40, cast(floor(pow(1 - chance(getvariable('requests') + i, getvariable('day') || ' size'), -1 / getvariable('exponent'))) as bigint)) as size,
            remaining.sub_orders as remaining
        from remaining, range((select sub_orders from remaining)) as candidates(i)
    ),

    counted as (select *, cast(sum(size) over (order by batch_no) as bigint) as reach from drawn),

    unnamed as (
        select
            batch_no,
            false as has_id,
            2 as draw,
            least(reach, remaining) - (reach - size) as size,
            (batch_no - getvariable('requests') + chance(batch_no, getvariable('day') || ' position')) / count(*) over () as position
        from counted
        where reach - size < remaining
    ),

    batches as (select * from named union all select * from unnamed),

    keyed as (
        select
            *,
            getvariable('day') * 10000000 + batch_no as key,
            cast(sum(size) over (order by batch_no) as bigint) - size as first_sub_order
        from batches
    )

select
    keyed.batch_no,
    keyed.has_id,
    keyed.key,
    keyed.size,
    keyed.first_sub_order,
    slots.seller,
    getvariable('day') * 86400000
    + hours_ms(batch_hours.hour + (keyed.position - batch_hours.reached) / batch_hours.share) as run_ms,
    1 + (chance(keyed.key, 'two lines') < 0.2)::integer + (chance(keyed.key, 'three lines') < 0.05)::integer as lines,
    -- both channels in every batch of a non-parallel user, so that each of its weeks shows both
    case sellers.user_type when 1 then chance(keyed.key, 'panel accepts') < 0.4 when 2 then true else false end
        as panel_accepts,
    case sellers.user_type when 1 then chance(keyed.key, 'panel accepts') >= 0.4 when 2 then true else false end
        as panel_manifests,
    chance(keyed.key, 'accepts by update') < 0.2 as accepts_by_update,
    chance(keyed.key, 'manifests by update') < 0.08 as manifests_by_update
from keyed
asof join batch_hours on keyed.position >= batch_hours.reached
inner join slots on keyed.draw = slots.draw and slots.slot = cast(floor(65536 * chance(keyed.key, 'seller')) as bigint)
inner join sellers on slots.seller = sellers.seller
order by keyed.batch_no;
