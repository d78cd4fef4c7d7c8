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


{# What a match of the pattern above becomes, a block of Jinja; or of the pattern below, a string or a name in it. #}
{% macro _rewritten_block(match) %}
  {% set text, following = match.group(0), match.string[match.end():].lstrip()[:1] %}
  {% if text.startswith('{' ~ '#') or text.endswith('endraw') %}{% do return(text) %}{% endif %}
  {% if text == 'config' %}
    {% do return('dbt_selfheal_config_call' if following == '(' else 'dbt_selfheal_config') %}
  {% elif not text.startswith('{') %}
    {% do return('dbt_selfheal_has_var' if text.startswith('var') else text) %}
  {% endif %}
  {% set names = modules.re.compile(
    '"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'|(?<![\\w.])(?:config(?=\\s*\\()|config\\b(?!\\s*=(?!=))|var\\s*[.]\\s*has_var\\b)') %}
  {% do return(names.sub(context['dbt_selfheal']['_rewritten_block'], text)) %}
{% endmacro %}
