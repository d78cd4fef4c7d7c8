{#
  Errors: what happened, where, what to do next. All errors of the package are raised here.
#}

{# Stop the invocation with a readable message. Of the errors that a macro can raise, this kind is the one that dbt
   prints without the chain of macros that led to it. (Up to dbt 1.8 no error inside an on-run-start hook stops the
   run: dbt reports it at the end and goes on to the nodes. docs/reference.md says so.) origin: the file to put right, or none. #}
{% macro _raise(message, origin=none) %}
  {% do exceptions.raise_not_implemented('dbt_selfheal: ' ~ (message ~ ('\nFix it in ' ~ origin ~ '.' if origin else '')) | indent(2)) %}
{% endmacro %}


{# The up to three candidates most like a name, by shared pairs of letters; an empty list when none is alike. #}
{% macro _nearest(name, candidates) %}
  {% set padded, scored = ' ' ~ name | lower ~ ' ', [] %}
  {% set wanted = zip(padded, padded[1:]) | list %}
  {% for candidate in candidates %}
    {% set other = ' ' ~ candidate | lower ~ ' ' %}
    {% set pairs = zip(other, other[1:]) | list %}
    {% set score = 2 * wanted | select('in', pairs) | list | length / (wanted | length + pairs | length) %}
    {% if score >= 0.5 %}{% do scored.append({'score': score, 'name': candidate}) %}{% endif %}
  {% endfor %}
  {% do return((scored | sort(attribute='score', reverse=true))[:3] | map(attribute='name') | list) %}
{% endmacro %}
