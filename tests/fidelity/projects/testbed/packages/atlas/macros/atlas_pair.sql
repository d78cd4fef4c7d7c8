{# A materialization that a package brings: a table and, next to it, a view on it; two relations. #}
{% materialization atlas_pair, default %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set companion = api.Relation.create(
        database=this.database, schema=this.schema, identifier=this.identifier ~ config.get('companion', '_companion'), type='view') -%}
  {{ run_hooks(pre_hooks) }}
  {% call statement('drop_companion') %}drop view if exists {{ companion }}{% endcall %}
  {% call statement('drop_target') %}drop table if exists {{ target_relation }}{% endcall %}
  {% call statement('main') -%}
    create table {{ target_relation }} as ({{ sql }})
  {%- endcall %}
  {% call statement('companion') -%}
    create view {{ companion }} as select *, '{{ shared_name() }}' as companion_by from {{ target_relation }}
  {%- endcall %}
  {{ run_hooks(post_hooks) }}
  {% do persist_docs(target_relation, model) %}
  {{ adapter.commit() }}
  {{ return({'relations': [target_relation, companion]}) }}
{% endmaterialization %}
