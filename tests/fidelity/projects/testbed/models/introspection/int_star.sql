{{ config(materialized='table') }}
select {{ star_except(ref('raw_customers'), ['city', 'score']) }} from {{ ref('raw_customers') }}
