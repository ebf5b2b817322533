{{ config(meta={"dagster": {"ref": {"name": "fct_failure_contribution_week"}}}) }}
{# The contributions of a client add up to 100 within what rounding may move: a hundredth for each category. #}
select week_start, flow, oms_client, sum(contribution) as total, count(*) as categories
from {{ ref("fct_failure_contribution_week") }}
group by week_start, flow, oms_client
having abs(sum(contribution) - 100) > 0.01 * count(*)
