-- What changed in the weeks of Olist: the queries behind README.md, on <home>/published/metric_store.duckdb.
use marts
;

-- Changes that a page shows in green or red, and which of them are signals
select
    figures.dimension,
    figures.member,
    count(*) filter (where figures.change <> 0) as coloured,
    count(*) filter (where changes.is_signal) as signals,
    count(*) filter (where figures.change > 0 and not changes.is_signal) as green_without_signal,
    count(*) filter (where figures.change < 0 and not changes.is_signal) as red_without_signal,
    count(changes.is_unusual) as judged_by_usual_range,
    count(*) filter (where changes.is_unusual) as unusual
from fct_metric_week as figures
inner join fct_metric_change_week as changes using (week_start, metric_id, dimension, member)
where figures.metric_id = 'o2d_ratio'
group by figures.dimension, figures.member
order by figures.dimension, figures.member
;

-- The weeks that are a signal or unusual
select
    figures.week_start,
    figures.value,
    figures.change,
    changes.change_low,
    changes.change_high,
    changes.is_signal,
    changes.usual_low,
    changes.usual_high,
    changes.is_unusual
from fct_metric_week as figures
inner join fct_metric_change_week as changes using (week_start, metric_id, dimension, member)
where figures.metric_id = 'o2d_ratio' and figures.dimension = 'overall' and (changes.is_signal or changes.is_unusual)
order by figures.week_start
;

-- shipping_on_time_rate has no published change: the interval of fct_metric_change_week over its numerators and
-- denominators, by seller, and of all together as the member `all`
with
    figures as (
        select
            week_start,
            coalesce(seller_id, 'all') as member,
            sum(numerator) / sum(denominator) as p,
            sum(denominator) as n,
            2.5758293035489 as z
        from fct_seller_rating_week
        where kpi_id = 'shipping_on_time_rate'
        group by grouping sets ((week_start, seller_id), (week_start))
        having sum(denominator) > 0
    ),

    wilson as (
        select
            week_start,
            member,
            p,
            (p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) as lower,
            (p + z * z / (2 * n) + z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n) as upper
        from figures
    ),

    changes as (
        select
            now.week_start,
            now.member,
            round(100 * (now.p - before.p), 2) as change,
            now.p - before.p - sqrt(pow(now.p - now.lower, 2) + pow(before.upper - before.p, 2)) > 0
            or now.p - before.p + sqrt(pow(now.upper - now.p, 2) + pow(before.p - before.lower, 2)) < 0 as is_signal
        from wilson as now
        inner join
            wilson as before on now.member = before.member and before.week_start = now.week_start - interval 7 days
    )

select
    member = 'all' as is_of_all,
    count(*) as changes,
    count(*) filter (where change <> 0) as moved,
    count(*) filter (where is_signal) as signals,
    count(*) filter (where change > 0 and not is_signal) as up_without_signal,
    count(*) filter (where change < 0 and not is_signal) as down_without_signal
from changes
group by is_of_all
order by is_of_all
;

-- What a cohort was expected to come to at each age, against what it came to four weeks after its own
with
    settled as (select cohort_week_start, mall_segment, ratio as settled from fct_o2d_settling_week where age_weeks = 4)

select
    mall_segment = 'mall' as is_mall,
    age_weeks,
    count(settled_expected) as expected,
    round(100 * avg((settled between settled_low and settled_high)::int), 1) as coverage_pct,
    round(avg(settled_expected - settled), 2) as mean_error,
    round(avg(abs(settled_expected - settled)), 2) as mean_absolute_error,
    max(abs(settled_expected - settled)) as largest_error
from fct_o2d_settling_week
inner join settled using (cohort_week_start, mall_segment)
where age_weeks < 4
group by is_mall, age_weeks
order by is_mall, age_weeks
;

-- First readings against what the mean of the newest eight settled ratios would have said
with
    settled as (
        select week_start, cohort_week_start, ratio as settled
        from fct_o2d_settling_week
        where age_weeks = 4 and mall_segment = 'mall' and placed > 0
    ),

    first_readings as (
        select
            readings.*,
            settled.settled,
            (
                select avg(newest.settled)
                from
                    (
                        select known.settled
                        from settled as known
                        where known.week_start <= readings.week_start
                        order by known.week_start desc
                        limit 8
                    ) as newest
            ) as mean_settled
        from fct_o2d_settling_week as readings
        inner join settled using (cohort_week_start)
        where readings.mall_segment = 'mall' and readings.age_weeks = 0 and readings.settled_expected is not null
    )

select
    count(*) as readings,
    count(*) filter (where settled_expected = 100) as expected_all,
    round(avg(abs(settled_expected - settled)), 2) as mean_absolute_error,
    round(avg(mean_settled - settled), 2) as mean_error_of_the_mean,
    round(avg(abs(mean_settled - settled)), 2) as mean_absolute_error_of_the_mean,
    min(settled),
    median(settled),
    max(settled)
from first_readings
;
