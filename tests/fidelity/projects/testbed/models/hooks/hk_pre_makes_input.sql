{{ config(materialized='table', pre_hook="create table if not exists {{ this.schema }}.made_by_pre_hook as select 7 as seven") }}
select seven from {{ this.schema }}.made_by_pre_hook
