{{ config(materialized='table') }} select a.id, s.name, p.price, o.price as old_price from {{ ref('agreed') }} a
join {{ ref('kept') }} s on s.id = a.id, {{ ref('price') }} p, {{ ref('price', v=1) }} o, {{ ref('of_package') }}
