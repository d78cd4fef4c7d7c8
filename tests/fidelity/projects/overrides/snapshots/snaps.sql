{% snapshot ovr_snap_check %}
{{ config(unique_key='id', strategy='check', check_cols='all') }}
select id, word from {{ ref('ovr_seed') }}
{% endsnapshot %}

{% snapshot ovr_snap_own %}
{{ config(unique_key='id', strategy='own', updated_at='seen_at') }}
select id, cast(seen_at as timestamp) as seen_at from {{ ref('ovr_seed') }}
{% endsnapshot %}
