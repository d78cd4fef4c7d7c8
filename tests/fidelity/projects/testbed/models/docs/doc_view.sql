select * from {{ ref('doc_table') }}
