{{ config(materialized='table') }}
select {{ star(from=ref('atlas_lookup'), except=['note']) }} from {{ ref('atlas_lookup') }}
