{#
  Rewriting a node's code before it is rendered. Inside Jinja's delimiters, outside of strings, comments and raw blocks:
    config(...)       becomes a call of a macro that does nothing,
    config            becomes the object that answers for the node,
    var.has_var(...)  becomes a call of a macro that answers for the node.
#}

{# The node's code, ready to be rendered in its context. #}
{% macro _rewritten_code(raw_code) %}
  {% if 'config' not in raw_code and '.has_var' not in raw_code %}{% do return(raw_code) %}{% endif %}
  {% set string = '"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'' %}
  {% set blocks = modules.re.compile(
    '{' ~ '#.*?#' ~ '}|{' ~ '%[-+]?\\s*raw\\s*-?%' ~ '}.*?{' ~ '%-?\\s*endraw|{' ~ '{(?:' ~ string ~ '|[^"\'])*?}' ~ '}|{' ~ '%(?:' ~ string ~ '|[^"\'])*?%' ~ '}',
    modules.re.DOTALL) %}
  {% do return(blocks.sub(context['dbt_selfheal']['_rewritten_block'], raw_code)) %}
{% endmacro %}


{# One block of Jinja, rewritten. match: of the pattern above. #}
{% macro _rewritten_block(match) %}
  {% set block = match.group(0) %}
  {% if block.startswith('{' ~ '#') or block.endswith('endraw') %}{% do return(block) %}{% endif %}
  {% set names = modules.re.compile(
    '"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'|(?<![\\w.])(?:config(?=\\s*\\()|config\\b(?!\\s*=(?!=))|var\\s*[.]\\s*has_var\\b)') %}
  {% do return(names.sub(context['dbt_selfheal']['_rewritten_name'], block)) %}
{% endmacro %}


{% macro _rewritten_name(match) %}
  {% set name, following = match.group(0), match.string[match.end():].lstrip()[:1] %}
  {% if name == 'config' %}
    {% do return('dbt_selfheal_config_call' if following == '(' else 'dbt_selfheal_config') %}
  {% elif name.startswith('var') %}
    {% do return('dbt_selfheal_has_var') %}
  {% endif %}
  {% do return(name) %}
{% endmacro %}
