{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='event_at', batch_size='year', begin='2023-01-01', concurrent_batches=false) }}
select id, event_at from {{ ref('batched_input') }}
