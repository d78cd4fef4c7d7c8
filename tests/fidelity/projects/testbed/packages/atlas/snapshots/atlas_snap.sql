{% snapshot atlas_snap %}
{{ config(target_schema=target.schema ~ '_atlas_snap', unique_key='id', strategy='timestamp', updated_at='updated_at') }}
select distinct id, 'x' as package, cast('2024-01-0' || id as timestamp) as updated_at from {{ ref('atlas_reads_same_name') }}
{% endsnapshot %}
