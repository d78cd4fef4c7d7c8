{{ config(materialized='table', pre_hook="{{ hook_table() }}",
  post_hook=["{{ log_hook('model: ' ~ var('plain_number')) }}", "insert into {{ this }} values (99)"]) }}
select id from {{ ref('a_table') }}
