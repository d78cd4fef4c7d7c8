{#
  The settings: one dict under `vars: dbt_selfheal:`, read through one accessor, with the defaults here and
  nowhere else (a hook wired by the root project does not see a package's own vars).
#}

{# The settings in force: defaults, then dbt_project.yml, then --vars, key by key; strings are rendered. The keys of the defaults are also the
   list of valid keys; the last four are for the package dbt_selfheal_database. #}
{% macro _settings() %}
  {% set config, problems, near, lines = adapter.config or {'vars': {}, 'cli_vars': invocation_args_dict.vars or {}}, [], [], [] %}
  {% set settings = {
    'enabled': true, 'on_missing': 'build', 'on_lost_history': 'fail', 'required': [], 'targets': [], 'timeout_seconds': none, 'lock_timeout_seconds': 60,
    'history': false, 'history_days': 90, 'schema': none, 'migrations': false, 'initial_data': [], 'out_of_order': false} %}
  {% set project = config.vars.to_dict() if adapter.config else {'dbt_selfheal': var('dbt_selfheal', {})} if 'dbt_selfheal' not in config.cli_vars else {} %}  {# dbt v2 tells only the one in force #}
  {% for origin, vars in {'dbt_project.yml': project, '--vars': config.cli_vars}.items() %}
    {% set layer = vars.get('dbt_selfheal', {}) %}
    {% for key, value in (layer if layer is mapping else {none: layer}).items() %}
      {% set found = dbt_selfheal._setting_value(key, value, settings | list, origin) %}
      {% if found.problem is defined %}{% do problems.append(dict(found, origin=origin)) %}{% else %}{% do settings.update({key: found.value}) %}{% endif %}
    {% endfor %}
  {% endfor %}
  {% if problems %}  {# all of them are said, then what to do #}
    {% set origins = problems | map(attribute='origin') | unique | list %}
    {% for each in problems %}
      {% do near.extend(each.near or []) %}
      {% do lines.append((each.origin ~ ': ' if origins | length > 1 else '') ~ each.problem) %}
    {% endfor %}
    {% do dbt_selfheal._raise(lines | join('\n') ~ (('\n' if lines | length > 1 else ' ') ~ 'Did you mean: ' ~ near | join(', ') ~ '?' if near else '')
      ~ ('\nThe settings are: ' ~ settings | join(', ') if problems | selectattr('near', 'defined') | list else ''), origins | join(' and in ')) %}
  {% endif %}
  {% if env_var('DBT_SELFHEAL_ENABLED', '') | lower in ('false', '0', 'no', 'off') %}{% do settings.update({'enabled': false}) %}{% endif %}
  {% do return(settings) %}
{% endmacro %}


{# One value, rendered when it is a template and converted to what its setting must be: {'value'}, or {'problem': a text that names the key, 'near': of an
   unknown key, those most like it}. keys: those that there are; key: none when the settings are no dictionary. #}
{% macro _setting_value(key, value, keys, origin) %}
  {% set kind = {
    'enabled': 'true or false', 'history': 'true or false', 'history_days': 'days, more than 0, or null', 'on_missing': 'build, clone, warn or fail', 'on_lost_history': 'build or fail', 'required': 'list of strings',
    'targets': 'list of strings', 'timeout_seconds': 'seconds, more than 0, or null', 'lock_timeout_seconds': 'seconds, 0 or more',
    'schema': 'name of a schema', 'migrations': 'true or false', 'initial_data': 'list', 'out_of_order': 'true or false'}.get(key) %}
  {% if key is none %}
    {% do return({'problem': 'vars.dbt_selfheal must be a dictionary of settings, and is ' ~ value | tojson}) %}
  {% elif not kind %}
    {% do return({'problem': 'vars.dbt_selfheal.' ~ key ~ ' is not a setting.', 'near': dbt_selfheal._nearest(key, keys)}) %}
  {% endif %}
  {% set is_list, rendered = value is iterable and value is not mapping and value is not string, [] %}
  {% if '{' in value | string and (value is string or (is_list and kind == 'list of strings')) %}
    {% for item in (value if is_list else [value]) %}
      {% do rendered.append(item if item is not string or '{' not in item else render(item) if dbt_version >= '2' else try_or_compiler_error(
        'dbt_selfheal: vars.dbt_selfheal.' ~ key ~ ' cannot be rendered: ' ~ item ~ '\nFix it in ' ~ origin ~ '.', render, item)) %}
    {% endfor %}
    {% set value = rendered if is_list else rendered[0] %}
  {% endif %}
  {% if kind == 'list of strings' and value is string %}{% set value = [value] %}{% endif %}
  {% if kind == 'true or false' and value is string and value | lower in ('true', 'false') %}{% set value = value | lower == 'true' %}{% endif %}
  {% if kind.startswith(('seconds', 'days')) and value is string and modules.re.fullmatch('[0-9]+([.][0-9]+)?', value) %}{% set value = value | float %}{% endif %}
  {% set is_list = value is iterable and value is not mapping and value is not string %}
  {% set is_number = value is number and value is not boolean %}
  {% set fits = {
    'true or false': value is boolean,
    'seconds, more than 0, or null': value is none or (is_number and 0 < value < 10 ** 9),
    'seconds, 0 or more': is_number and 0 <= value < 10 ** 9,
    'days, more than 0, or null': value is none or (is_number and 0 < value < 10 ** 6),
    'build, clone, warn or fail': value in ('build', 'clone', 'warn', 'fail'),
    'build or fail': value in ('build', 'fail'),
    'list of strings': is_list and value | reject('string') | first is not defined,
    'list': is_list,
    'name of a schema': value is none or (value is string and value != ''),
  } %}
  {% if not fits[kind] %}
    {% do return({'problem': 'vars.dbt_selfheal.' ~ key ~ ' must be: ' ~ kind ~ ('; it is ' ~ tojson(value, value | string) if key != 'initial_data' else '')}) %}
  {% endif %}
  {% do return({'value': value}) %}
{% endmacro %}
