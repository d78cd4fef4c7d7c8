{#
  Types: a declared type is turned into the database's own name for it, so that int, int4 and integer are one.
#}

{# The database's own names of declared types: {type as declared: name, or none where the database does not know it}. #}
{% macro _type_names(types) %}
  {% set names = {} %}
  {% for type in types %}{% do names.update({type: none}) %}{% endfor %}
  {% do return(adapter.dispatch('_type_names', 'dbt_selfheal')(names) if names else names) %}
{% endmacro %}

{% macro default___type_names(names) %}
  {% for type in names %}{% do names.update({type: type}) %}{% endfor %}
  {% do return(names) %}
{% endmacro %}

{# Plain names by the list of types that the database has, their aliases included; others (nested types) by asking it. #}
{% macro duckdb___type_names(names) %}
  {% set known = {'double precision': 'DOUBLE', 'character varying': 'VARCHAR', 'timestamp without time zone': 'TIMESTAMP', 'time without time zone': 'TIME'} %}
  {% for row in dbt_selfheal._fetch('select distinct lower(type_name), logical_type from duckdb_types()') %}{% do known.update({row[0]: row[1]}) %}{% endfor %}
  {% for type in names %}
    {% set parts = modules.re.fullmatch('\\s*([A-Za-z_][\\w ]*?)\\s*([(][\\d\\s,]+[)])?\\s*', type) %}
    {% if parts %}
      {% set name = known.get(parts.group(1) | lower) %}
      {% do names.update({type: name and name ~ (parts.group(2) if parts.group(2) and name == 'DECIMAL' else '')}) %}
    {% else %}
      {% set failure = 'dbt_selfheal: the declared data_type ' ~ type ~ ' is not one that the database knows. Correct it where the column is declared.' %}
      {% do names.update({type: try_or_compiler_error(failure, adapter.execute, 'select typeof(cast(null as ' ~ type ~ '))', auto_begin=false, fetch=true)[1].rows[0][0]}) %}
    {% endif %}
  {% endfor %}
  {% do return(names) %}
{% endmacro %}

{% macro postgres___type_names(names) %}
  {% for type in names %}
    {% set length = modules.re.search('[(][\\d\\s,]+[)]', type) %}
    {% set name = dbt_selfheal._fetch('select format_type(to_regtype(' ~ dbt_selfheal._literal(type) ~ '), null)')[0][0] %}
    {% do names.update({type: name and name ~ (length.group(0) if length else '')}) %}
  {% endfor %}
  {% do return(names) %}
{% endmacro %}

{# SQLite takes any name for a type; what counts is the affinity that the name gives a column. #}
{% macro sqlite___type_names(names) %}
  {% for type in names %}{% do names.update({type: dbt_selfheal._affinity(type)}) %}{% endfor %}
  {% do return(names) %}
{% endmacro %}


{# The affinity of a type's name, by the rules of https://sqlite.org/datatype3.html, in their order. #}
{% macro _affinity(type) %}
  {% set name = type | upper %}
  {% do return('INTEGER' if 'INT' in name else 'TEXT' if 'CHAR' in name or 'CLOB' in name or 'TEXT' in name else 'BLOB' if 'BLOB' in name
    else 'REAL' if 'REAL' in name or 'FLOA' in name or 'DOUB' in name else 'NUMERIC') %}
{% endmacro %}


{# Whether a column has the type that is declared. A declared type without a length takes any. declared: of _type_names. #}
{% macro _same_type(declared, found) %}
  {% do return(adapter.dispatch('_same_type', 'dbt_selfheal')(declared, found)) %}
{% endmacro %}

{% macro default___same_type(declared, found) %}
  {% set declared, found = declared | lower | replace(' ', ''), found | lower | replace(' ', '') %}
  {% do return(declared == found or ('(' not in declared and declared == modules.re.sub('[(][\\d,]+[)]', '', found))) %}
{% endmacro %}

{# A column of a table that a query has made may have no type at all, and then takes every value as it is. #}
{% macro sqlite___same_type(declared, found) %}
  {% do return(not found or declared == dbt_selfheal._affinity(found)) %}
{% endmacro %}
