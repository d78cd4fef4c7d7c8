{{ config(
  materialized='view',
  tags=['selfheal_history'],
  enabled=var('dbt_selfheal', {}).get('history', var('history', false)) | string | lower == 'true'
) }}
select
  coalesce(error_code, 'unknown') as error_code,
  coalesce(step, 'unknown') as step,
  count(*) as failures,
  min(started_at) as first_at,
  max(started_at) as last_at,
  max(error) as example
from {{ ref('selfheal_attempt_history') }}
where state <> 'completed'
group by coalesce(error_code, 'unknown'), coalesce(step, 'unknown')
