select calendar, date, name from {{ source("config", "holidays") }}
