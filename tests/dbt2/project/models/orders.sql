{{ config(materialized='table', post_hook="insert into {{ this }} (id, name, cents) values (99, 'by a hook', 0)") }}
select id, name, {{ money('amount') }} as cents from {{ ref('people_of_orders') }}
