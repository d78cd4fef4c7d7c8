{{ config(materialized='table', alias='twin', schema='twin_one') }}
select 'one' as which
