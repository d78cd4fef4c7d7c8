{# dbt-duckdb 1.8 sends a commit too many before a hook outside the transaction; 1.9 and later do not #}
{{ config(materialized='table',
  pre_hook=["{{ log_hook('model: pre one') }}", before_begin("{{ log_hook('model: before begin') }}"), "{{ log_hook('model: pre two') }}"],
  post_hook=["{{ log_hook('model: post one') }}", after_commit("{{ log_hook('model: after commit') }}"),
             in_transaction("{{ log_hook('model: in transaction') }}"), {'sql': "{{ log_hook('model: as a dict') }}", 'transaction': false}]) }}
select id from {{ ref('seed_hooked_outside') }}
