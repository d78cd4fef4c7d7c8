{{ config(materialized='table', schema='stage') }}
select 1 as id
