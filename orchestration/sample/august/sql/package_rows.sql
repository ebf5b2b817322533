-- The packages of the day's orders that have left: one for each time at which lines of an order were handed over.
select
    'P' || day_name(order_key) || '-' || padded(row_number() over (order by order_key, shipped_ms), 7) as package_id,
    order_id(order_key) as order_id,
    seller_id,
    epoch_ms(shipped_ms) as shipped_at
from (select distinct order_key, seller, shipped_ms from sub_orders where shipped_ms is not null)
inner join sellers using (seller)
order by package_id
