{{ config(materialized='table', pre_hook="{{ hook_table() }}",
  post_hook=["create unique index idx_{{ this.identifier }} on {{ this.identifier }} (id)", "{{ log_hook('model: ' ~ var('plain_number')) }}"]) }}
select id from {{ ref('seed_integers') }}
