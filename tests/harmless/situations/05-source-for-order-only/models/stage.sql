{{ config(materialized='table') }}
-- lineage: {{ source('landing', 'refunds') }}
select 1 as id
