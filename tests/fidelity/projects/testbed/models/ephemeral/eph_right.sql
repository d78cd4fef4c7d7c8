{{ config(materialized='ephemeral', meta={'suffix': ' right'}) }}
with inner_cte as (select * from {{ ref('eph_base') }})
select id, city || '{{ config.get("meta").suffix }}' as r from inner_cte
