{{ config(
  materialized='view',
  tags=['selfheal_history'],
  enabled=var('dbt_selfheal', {}).get('history', var('history', false)) | string | lower == 'true',
  pre_hook='{{ dbt_selfheal._create_attempt_tables() }}'
) }}
select
  attempt_id,
  substr(started_at, 1, 10) as started_on,
  started_at,
  completed_at,
  duration_seconds,
  state,
  command,
  way,
  missing,
  built,
  step,
  error_code,
  error,
  target,
  recorded_by,
  host,
  dbt_version
from {{ dbt_selfheal._own_relation('selfheal_attempts') }}
