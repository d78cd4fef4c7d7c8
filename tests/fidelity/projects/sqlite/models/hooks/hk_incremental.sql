{{ config(materialized='incremental', pre_hook="{{ hook_table() }}", post_hook="insert into {{ this }} values (99)") }}
select id from {{ ref('hk_table') }}
