{{ config(materialized='view', pre_hook=["{{ hook_table() }}",
  "insert into main.hooks_{{ this.identifier }} select 'reads', count(*) from {{ ref('hk_table') }}"]) }}
select id from {{ ref('hk_table') }}
