{#
  Errors: what happened, where, what to do next. All errors of the package are raised here.
#}

{# Stop the invocation with a readable message. Of the errors that a macro can raise, this kind is the one that dbt
   prints without the chain of macros that led to it. (Up to dbt 1.8 no error inside an on-run-start hook stops the
   run: dbt reports it at the end and goes on to the nodes. The README says so.) #}
{% macro _raise(message) %}
  {% do exceptions.raise_not_implemented('dbt_selfheal: ' ~ message | indent(2)) %}
{% endmacro %}


{# A setting that is wrong. #}
{% macro _raise_setting(key, problem, origin) %}
  {% do dbt_selfheal._raise(key ~ ' ' ~ problem ~ '\nFix it in ' ~ origin ~ '.') %}
{% endmacro %}


{# The up to three candidates most like a name, by shared pairs of letters; an empty list when none is alike. #}
{% macro _nearest(name, candidates) %}
  {% set wanted = dbt_selfheal._letter_pairs(name) %}
  {% set scored = [] %}
  {% for candidate in candidates %}
    {% set pairs = dbt_selfheal._letter_pairs(candidate) %}
    {% set shared = wanted | select('in', pairs) | list | length %}
    {% set score = 2 * shared / (wanted | length + pairs | length) %}
    {% if score >= 0.5 %}{% do scored.append({'score': score, 'name': candidate}) %}{% endif %}
  {% endfor %}
  {% do return((scored | sort(attribute='score', reverse=true))[:3] | map(attribute='name') | list) %}
{% endmacro %}


{% macro _letter_pairs(text) %}
  {% set padded = ' ' ~ text | lower ~ ' ' %}
  {% set pairs = [] %}
  {% for i in range(padded | length - 1) %}{% do pairs.append(padded[i:i + 2]) %}{% endfor %}
  {% do return(pairs) %}
{% endmacro %}
