{# The block form, which every dbt version knows. #}
{% snapshot early_snapshot %}
{{ config(tags=['early'], target_schema=target.schema ~ '_snapshots', unique_key='id', strategy='timestamp', updated_at='ordered_at') }}
select * from {{ ref('raw_orders') }}
{% endsnapshot %}

{% snapshot snap_timestamp %}
{{ config(target_schema=target.schema ~ '_snapshots', unique_key='id', strategy='timestamp', updated_at='ordered_at',
          invalidate_hard_deletes=True, indexes=[{'columns': ['id']}]) }}
with named as (select o.id, o.status, o.ordered_at, e.name from {{ ref('raw_orders') }} as o join {{ ref('eph_base') }} as e on e.id = o.customer_id)
select * from named
{% endsnapshot %}

{% snapshot snap_check %}
{{ config(target_schema='plain_' ~ target.schema, unique_key="id || '-' || status", strategy='check', check_cols=['status', 'amount_cents']) }}
select id, status, amount_cents from {{ ref('raw_orders') }}
{% endsnapshot %}

{% snapshot snap_check_all %}
{{ config(target_schema=target.schema ~ '_snapshots', unique_key='id', strategy='check', check_cols='all',
          post_hook=["{{ log_hook('snapshot: post') }}", "comment on table {{ this }} is 'by a hook'"], persist_docs={'relation': false}) }}
select id, method from {{ ref('raw_payments') }}
{% endsnapshot %}

{% snapshot snap_check_updated_at %}
{{ config(target_schema=target.schema ~ '_snapshots', unique_key='id', strategy='check', check_cols=['id'], updated_at='ordered_at', alias='snap_aliased') }}
select id, status, ordered_at from {{ source('snapshotted', 'early_snapshot') }}
{% endsnapshot %}
