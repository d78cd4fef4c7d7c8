{{ config(materialized='table', indexes=[{'columns': ['id']}]) }}
select id, word, '{{ ref("ovr_seed") }}' as parent, '{{ is_incremental() }}' as incremental from {{ ref('ovr_seed') }}
