{{ config(materialized='incremental') }}
select * from {{ ref('doc_view') }}
