{% snapshot history %}
{{ config(unique_key='id', strategy='timestamp', updated_at='changed_at', target_schema=target.schema) }}
select id, changed_at from {{ ref('given') }}
{% endsnapshot %}
