{% materialization archived, default %}
  {% set archive = this.incorporate(path={'schema': 'archive', 'identifier': 'events'}, type='table') %}
  {% call statement('main') %}insert into {{ archive }} {{ sql }}{% endcall %}
  {% do adapter.commit() %}
  {{ return({'relations': [archive]}) }}
{% endmaterialization %}
