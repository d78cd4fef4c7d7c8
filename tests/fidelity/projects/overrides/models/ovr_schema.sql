{{ config(materialized='table', schema='other', post_hook="insert into {{ this }} (id) values (100)") }}
select id from {{ ref('ovr_view') }}
