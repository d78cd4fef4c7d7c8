{#
  Versions as people give them to operations.
#}

{# The entry of a status that a version means. wanted: "0003" or "package.0003". YAML reads 0010 without quotes as the
   octal number 8, so a number is taken only when it is exactly how the version is written. #}
{% macro _find_version(entries, wanted) %}
  {% set text = wanted | string | trim %}
  {% if not text %}{% do dbt_selfheal._raise('the version is empty (an environment variable that is not set?). Nothing was done.') %}{% endif %}
  {% set matches = [] %}
  {% for entry in entries %}
    {% set names = [entry.version, entry.package ~ '.' ~ entry.version] if wanted is not string else
      [entry.version, entry.package ~ '.' ~ entry.version, entry.id, entry.id.split('.', 1)[1], entry.macro] %}
    {% if text in names or (wanted is string and dbt_selfheal_database._migration_id(entry.package, text) == entry.id) %}{% do matches.append(entry) %}{% endif %}
  {% endfor %}
  {% if matches | length == 1 %}{% do return(matches[0]) %}{% endif %}
  {% if matches %}
    {% do dbt_selfheal._raise('the version ' ~ text ~ ' is that of several packages: ' ~ matches | map(attribute='package') | join(', ')
      ~ '\nName the package too, such as "' ~ matches[0].package ~ '.' ~ matches[0].version ~ '".') %}
  {% endif %}
  {% set versions = entries | map(attribute='version') | list %}
  {% do dbt_selfheal._raise('there is no migration with the version ' ~ text ~ '. '
    ~ ('The versions are: ' ~ versions[:12] | join(', ') ~ (', ...' if versions | length > 12 else '') if versions else 'The project has no migrations.')
    ~ ('\nWrite it in quotes, such as --args \'{to: "' ~ versions[0] ~ '"}\': YAML reads 0010 as 8.' if wanted is not string and versions else '')) %}
{% endmacro %}
