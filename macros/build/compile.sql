{#
  A node's SQL, compiled as dbt does it: the code rendered in the node's own context, and its ephemeral parents,
  each rendered in its own context, put in front as CTEs.
#}

{# Compile a node. base: of _base_context, which remembers ephemeral models across calls.
   Returns {'code': the SQL, 'ctes': [{'id', 'sql'}] put in front of it}. #}
{% macro _compile(node, base) %}
  {% do dbt_selfheal._enter_context(node, base) %}
  {% set code = render(dbt_selfheal._rewritten_code(node.raw_code)) %}
  {% set ephemerals = context['dbt_selfheal_ephemerals'] %}
  {% set ctes = {} %}
  {% for unique_id, ephemeral in ephemerals.items() %}
    {% if unique_id not in base.compiled %}
      {% do base.compiled.update({unique_id: dbt_selfheal._compile(ephemeral, base)}) %}
    {% endif %}
    {% for cte in base.compiled[unique_id].ctes %}{% do ctes.setdefault(cte.id, cte) %}{% endfor %}
    {% do ctes.setdefault(unique_id, {
      'id': unique_id,
      'sql': ' ' ~ api.Relation.add_ephemeral_prefix(ephemeral.alias) ~ ' as (\n' ~ base.compiled[unique_id].own_code ~ '\n)',
    }) %}
  {% endfor %}
  {% do return({
    'own_code': code,
    'code': dbt_selfheal._with_ctes(code, ctes.values() | map(attribute='sql') | list) if ctes else code,
    'ctes': ctes.values() | list,
  }) %}
{% endmacro %}


{# Put CTEs in front of a statement: into its leading `with` (or `with recursive`) if it has one, else as a new `with`. #}
{% macro _with_ctes(code, ctes) %}
  {% if not ctes %}{% do return(code) %}{% endif %}
  {% set blank = '(?:\\s|--[^\\n]*(?:\\n|$)|/\\*(?:[^*]|\\*(?!/))*\\*/)*' %}
  {% set leading = modules.re.compile('(' ~ blank ~ 'with\\b(?:\\s+recursive\\b)?\\s*)(.*)', modules.re.IGNORECASE + modules.re.DOTALL).fullmatch(code) %}
  {% if leading %}
    {% do return(leading.group(1) ~ ctes | join(', ') ~ ', ' ~ leading.group(2)) %}
  {% endif %}
  {% set lead = code[:code | length - code.lstrip() | length] %}
  {% do return(lead ~ 'with' ~ ctes | join(', ') ~ ' ' ~ code.lstrip()) %}
{% endmacro %}
