{{ config(materialized='incremental', post_hook=after_commit("comment on table {{ this }} is 'after the commit'")) }}
select id from {{ ref('out_order') }}
