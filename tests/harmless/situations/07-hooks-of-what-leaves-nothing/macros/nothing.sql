{% materialization nothing, default %}
  {{ run_hooks(pre_hooks) }}
  {% call statement('main') %}select 1 as x{% endcall %}
  {{ run_hooks(post_hooks) }}
  {% do adapter.commit() %}
  {{ return({'relations': []}) }}
{% endmaterialization %}
