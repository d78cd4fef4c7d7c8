{% materialization call_only, default %}
  {% call statement('main') %}{{ sql }}{% endcall %}
  {% do adapter.commit() %}
  {{ return({'relations': []}) }}
{% endmaterialization %}
