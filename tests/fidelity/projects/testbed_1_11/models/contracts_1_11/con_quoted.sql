{{ config(materialized='table') }}
select 1 as {{ adapter.quote('Big Id') }}, 'x' as {{ adapter.quote('order') }}
