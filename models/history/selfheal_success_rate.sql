{{ config(
  materialized='view',
  tags=['selfheal_history'],
  enabled=var('dbt_selfheal', {}).get('history', var('history', false)) | string | lower == 'true'
) }}
select
  started_on,
  count(*) as attempts,
  sum(case when state = 'completed' then 1 else 0 end) as succeeded,
  sum(case when state = 'completed' then 0 else 1 end) as failed,
  sum(case when state = 'completed' then 1.0 else 0.0 end) / count(*) as success_rate,
  avg(duration_seconds) as average_seconds,
  max(duration_seconds) as longest_seconds
from {{ ref('selfheal_attempt_history') }}
group by started_on
