{{ config(materialized='table', database='lake') }}
select 1 as id
