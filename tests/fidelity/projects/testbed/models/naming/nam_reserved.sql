{{ config(materialized='table', alias='select') }}
select 1 as {{ adapter.quote('from') }}, 2 as {{ adapter.quote('Has Space') }}, 3 as {{ adapter.quote('UPPER') }}, 4 as {{ adapter.quote('größe') }}
