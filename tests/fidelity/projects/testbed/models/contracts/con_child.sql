{{ config(materialized='table') }}
{# columns in another order than the contract's #}
select status, customer_id, id from {{ ref('raw_orders') }} where customer_id in (select id from {{ ref('con_parent') }})
