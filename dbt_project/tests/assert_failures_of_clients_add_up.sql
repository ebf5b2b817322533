{{ config(meta={"dagster": {"ref": {"name": "fct_failure_contribution_week"}}}) }}
{# Every failed sub-order is one client's: per week, flow and category the clients add up to `all`. #}
select
    week_start,
    flow,
    l2_category,
    coalesce(sum(failed) filter (where oms_client <> 'all'), 0) as clients,
    coalesce(sum(failed) filter (where oms_client = 'all'), 0) as overall
from {{ ref("fct_failure_contribution_week") }}
group by week_start, flow, l2_category
having clients <> overall
