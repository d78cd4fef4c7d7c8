{{ config(materialized='by_adapter') }}
select * from {{ ref('mat_stamped') }}
