{% snapshot snap_timestamp %}
{{ config(target_schema='main', unique_key='id', strategy='timestamp', updated_at='moment') }}
select id, amount, moment from {{ ref('seed_types') }}
{% endsnapshot %}

{% snapshot snap_check %}
{{ config(target_schema='main', unique_key='id', strategy='check', check_cols=['n']) }}
select id, n from {{ ref('seed_integers') }}
{% endsnapshot %}
