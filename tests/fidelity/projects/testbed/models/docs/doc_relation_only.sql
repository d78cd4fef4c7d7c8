{{ config(materialized='table', persist_docs={'relation': true, 'columns': false}) }}
select id from {{ ref('doc_table') }}
