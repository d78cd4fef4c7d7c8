{{ config(materialized='table', alias='twin', schema='twin_two') }}
select 'two' as which
