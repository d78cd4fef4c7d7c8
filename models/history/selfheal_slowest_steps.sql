{{ config(
  materialized='view',
  tags=['selfheal_history'],
  enabled=var('dbt_selfheal', {}).get('history', var('history', false)) | string | lower == 'true'
) }}
-- depends_on: {{ ref('selfheal_attempt_history') }}
select
  step_name,
  count(*) as runs,
  avg(duration_seconds) as average_seconds,
  max(duration_seconds) as longest_seconds,
  sum(duration_seconds) as total_seconds,
  max(started_at) as last_started_at
from {{ dbt_selfheal._own_relation('selfheal_steps') }}
group by step_name
