select file_id, column_name from {{ source("inputs", "missing_columns") }}
