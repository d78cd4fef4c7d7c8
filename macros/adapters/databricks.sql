{# Databricks: no transactions over tables, no locks. What a schema of the Unity Catalog holds is asked by dbt-databricks' own macro; without that catalog
   dbt lists it by a client that a macro does not reach, and dbt's relation cache has to do. #}

{% macro databricks___traits() %}
  {% set catalog = (target.database or 'hive_metastore') | lower not in ('hive_metastore', 'spark_catalog') %}
  {% do return(dict(dbt_selfheal.default___traits(), **{
    'tested': 'databricks', 'names': {'macro': 'get_uc_tables', 'name': 'table_name', 'type': 'table_type'} if catalog else none})) %}
{% endmacro %}
