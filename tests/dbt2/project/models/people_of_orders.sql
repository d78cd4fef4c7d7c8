{{ config(materialized='ephemeral') }}
select o.id, p.name, o.amount from {{ ref('raw_orders') }} o join {{ ref('people') }} p on p.id = o.person
