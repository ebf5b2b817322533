select file_id, week_start from {{ source("inputs", "weeks_of_files") }}
