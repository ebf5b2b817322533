-- One row per seller: one version, as of the export.
--
-- Olist has no segments. For the example a seller's size is its segment: the 50 sellers with the most items of the
-- whole export are anchor, the next 200 focus, the rest non_focus; of equal ones the smaller seller_id comes first.
-- Every seller is then a Mall seller, and "Mall overall" is all of Olist.
with

    sellers as (

        select *
        from
            read_csv(
                'olist/olist_sellers_dataset.csv.gz',
                header = true,
                all_varchar = true,
                delim = ',',
                quote = '"',
                escape = '"'
            )

    ),

    items_of_seller as (

        select seller_id, count(*) as items
        from
            read_csv(
                'olist/olist_order_items_dataset.csv.gz',
                header = true,
                all_varchar = true,
                delim = ',',
                quote = '"',
                escape = '"'
            )
        group by seller_id

    ),

    export as (

        select max(try_cast(order_purchase_timestamp as timestamp)) as exported_at
        from
            read_csv(
                'olist/olist_orders_dataset.csv.gz',
                header = true,
                all_varchar = true,
                delim = ',',
                quote = '"',
                escape = '"'
            )

    ),

    ranked as (

        select
            sellers.seller_id,
            row_number() over (order by coalesce(items_of_seller.items, 0) desc, sellers.seller_id) as size_rank
        from sellers
        left join items_of_seller on sellers.seller_id = items_of_seller.seller_id

    )

select
    ranked.seller_id,

    -- The data is anonymised: the id is the only name. There are no brands and no dates of onboarding.
    ranked.seller_id as seller_name,
    case
        when ranked.size_rank <= 50 then 'anchor' when ranked.size_rank <= 250 then 'focus' else 'non_focus'
    end as mall_segment,
    false as is_cross_border,

    -- 1.9 % of the items were handed over on a Saturday and 0.04 % on a Sunday. Null would mean Sunday only.
    'sat,sun' as weekend_days,

    -- The segment follows from the whole export, so it is known since its newest purchase. Weeks before that read it
    -- too, because the earliest version counts where all are later than A. A larger export adds a later version and
    -- leaves the weeks before it as they are.
    export.exported_at as updated_at

from ranked
cross join export
order by all
