select * from {{ ref('tbl_empty') }}

-- the last line is a comment
