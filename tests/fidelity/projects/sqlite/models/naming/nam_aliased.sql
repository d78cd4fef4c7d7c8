{{ config(materialized='table', alias='Called_Otherwise') }}
select 1 as id
