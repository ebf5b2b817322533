select source, column_name from {{ source("inputs", "absent_columns") }}
