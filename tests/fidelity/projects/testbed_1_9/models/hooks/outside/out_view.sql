{{ config(materialized='view', pre_hook=before_begin("{{ hook_from_ref(ref('out_incremental')) }}")) }}
-- depends_on: {{ ref('out_incremental') }}
select 1 as id
