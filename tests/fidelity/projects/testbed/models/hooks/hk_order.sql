{{ config(materialized='table',
  pre_hook=["{{ log_hook('model: pre one') }}", "{{ log_hook('model: pre two') }}"],
  post_hook=["{{ log_hook('model: post one') }}", in_transaction("{{ log_hook('model: in transaction') }}"),
             {'sql': "{{ log_hook('model: as a dict') }}"}, {"sql": "{{ log_hook('model: a dict with the word') }}", "transaction": true}]) }}
select 1 as id
