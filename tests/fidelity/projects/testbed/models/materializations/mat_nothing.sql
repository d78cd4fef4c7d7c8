{{ config(materialized='registers_only') }}
select * from {{ ref('mat_from_package') }}
