{{ config(materialized='atlas_pair', companion='_beside') }}
select * from {{ ref('mat_by_adapter') }}
