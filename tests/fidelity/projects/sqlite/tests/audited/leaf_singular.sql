{{ config(severity='warn', store_failures=true) }}
select id from {{ ref('an_incremental') }} where id > 1
