{{ config(
  materialized='view',
  enabled=var('dbt_selfheal', {}).get('history', var('history', false)) | string | lower == 'true',
  pre_hook='{{ dbt_selfheal._create_attempt_tables() }}'
) }}
select
  substr(started_at, 1, 10) as started_on,
  count(*) as attempts,
  sum(case when state = 'completed' then 1 else 0 end) as succeeded,
  sum(case when state = 'completed' then 0 else 1 end) as failed,
  sum(case when state = 'completed' then 1.0 else 0.0 end) / count(*) as success_rate,
  avg(duration_seconds) as average_seconds,
  max(duration_seconds) as longest_seconds
from {{ dbt_selfheal._own_relation('selfheal_attempts') }}
group by substr(started_at, 1, 10)
