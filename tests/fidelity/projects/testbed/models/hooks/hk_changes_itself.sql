{{ config(materialized='table', post_hook=[
  "alter table {{ this }} add column added integer",
  "update {{ this }} set added = id * {{ var('plain_number') }}",
  "alter table {{ this }} alter column word set default 'by hook'",
  "create index {{ this.identifier }}_by_hook on {{ this }} (id)",
  "comment on table {{ this }} is 'by {{ model.name }}''s hook; tags {{ config.get('tags') | join }}'",
  "insert into {{ this }} (id) select max(id) + 1 from {{ this }}"]) }}
select id, cast('w' as varchar) as word from {{ ref('raw_payments') }}
