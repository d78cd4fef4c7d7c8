{{ config(materialized='table') }}
select region from {{ ref('raw') }}
