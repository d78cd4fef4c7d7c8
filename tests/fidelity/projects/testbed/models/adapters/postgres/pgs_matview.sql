{# comments on the columns of a materialized view fail in a plain build of dbt 1.8 #}
{{ config(materialized='materialized_view', indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['status']}], on_configuration_change='apply',
   persist_docs={'relation': true, 'columns': dbt_version[:4] != '1.8.'}, grants={'select': 'testbed_reader'}, post_hook="{{ log_hook('matview') }}") }}
select id, status from {{ ref('pgs_unlogged') }}
