{{ config(materialized='external', format='parquet') }}
select * from {{ ref('ddb_external_default') }} where id < 0
