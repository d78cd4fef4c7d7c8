{{ config(materialized='table') }}
select 'žluťoučký 🐎 東京' as words, '{{ "größe" | upper }}' as upper_words, name as "näme" from {{ ref('raw_customers') }}
