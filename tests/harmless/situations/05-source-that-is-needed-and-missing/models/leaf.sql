{{ config(materialized='table') }}
select s.id from {{ ref('stage') }} s join {{ ref('other') }} o on o.id = s.id
