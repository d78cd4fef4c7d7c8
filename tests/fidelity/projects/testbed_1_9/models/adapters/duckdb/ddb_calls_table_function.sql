{{ config(materialized='table') }}
select * from {{ ref('ddb_table_function') }}(12, 'w')
