{{ config(materialized='materialized_view', indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['status']}], on_configuration_change='apply',
   persist_docs={'relation': true, 'columns': true}, grants={'select': 'testbed_reader'}, post_hook="{{ log_hook('matview') }}") }}
select id, status from {{ ref('pgs_unlogged') }}
