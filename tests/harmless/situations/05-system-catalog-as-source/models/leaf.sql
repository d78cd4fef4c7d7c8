{{ config(materialized='table') }}
select any_table from {{ ref('stage') }}
