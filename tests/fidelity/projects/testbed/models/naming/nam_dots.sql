{{ config(materialized='table', alias='dots.in.name') }}
select a.which as a, b.which as b from {{ ref('nam_twin_one') }} as a cross join {{ ref('nam_twin_two') }} as b
