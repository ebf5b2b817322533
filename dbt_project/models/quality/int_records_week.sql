{# One row per week, of the run or up to four before, and source with records in it: how many, on how many local days. #}
select
    week_start,
    source,
    cast(sum(records) as bigint) as records,
    cast(sum(null_request_ids) as bigint) as null_request_ids,
    count(*) as days_with_records
from {{ ref("int_records_day") }}
group by week_start, source
