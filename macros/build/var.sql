{#
  `var` as a node's own context has it (see _enter_context): --vars, then the root project's vars scoped to the node's package, then the
  package's own defaults. A value that is a string is itself a template, rendered when it is read.
#}


{# var('name'), var('name', default), for the node in the context. #}
{% macro _var(var_name) %}
  {% if var_name in dbt_selfheal_vars %}
    {% set value = dbt_selfheal_vars[var_name] %}
    {% do return(render(value) if value is string else value) %}
  {% elif varargs %}
    {% do return(varargs[0]) %}
  {% elif 'default' in kwargs %}
    {% do return(kwargs['default']) %}
  {% endif %}
  {% do exceptions.raise_compiler_error("Required var '" ~ var_name ~ "' not found in config:\nVars supplied to " ~ dbt_selfheal_node.name
    ~ ' = ' ~ dbt_selfheal_vars | tojson) %}
{% endmacro %}


{# var.has_var('name'), for the node in the context. #}
{% macro _has_var(var_name) %}
  {% do return(var_name in dbt_selfheal_vars) %}
{% endmacro %}
