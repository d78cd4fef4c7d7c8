{{ config(materialized='incremental', post_hook=["{{ log_rows('post') }}", "{% set n = 1 %}{{ log_hook('set ' ~ n) }}"]) }}
select id from {{ ref('raw_payments') }}
