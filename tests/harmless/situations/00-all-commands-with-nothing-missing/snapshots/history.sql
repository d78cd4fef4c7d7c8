{% snapshot history %}
{{ config(unique_key='id', strategy='timestamp', updated_at='at', target_schema=target.schema) }}
select id, at from {{ ref('given') }}
{% endsnapshot %}
