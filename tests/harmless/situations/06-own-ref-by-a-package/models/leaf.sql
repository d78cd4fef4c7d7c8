{{ config(materialized='table') }}
select h.id from {{ ref('raw') }} join {{ ref('here') }} h using (id)
