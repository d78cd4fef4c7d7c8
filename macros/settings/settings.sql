{#
  The settings: one dict under `vars: dbt_selfheal:`, read through one accessor, with the defaults here and
  nowhere else (a hook wired by the root project does not see a package's own vars).
#}

{# The defaults; the keys are also the list of valid keys, and the types of the values their types. #}
{% macro _default_settings() %}
  {% do return({
    'enabled': true,
    'on_missing': 'build',
    'required': [],
    'targets': [],
    'timeout_seconds': 60,
    'lock_timeout_seconds': 60,
    'history': false,
    'history_days': 90,
    'schema': none,
    'initial_data': [],
    'out_of_order': false,
  }) %}
{% endmacro %}


{# The settings in force: defaults, then dbt_project.yml, then --vars, key by key; strings are rendered. #}
{% macro _settings() %}
  {% set settings = dbt_selfheal._default_settings() %}
  {% for origin, vars in {'dbt_project.yml': adapter.config.vars.to_dict(), '--vars': adapter.config.cli_vars}.items() if 'dbt_selfheal' in vars %}
    {% set layer = vars['dbt_selfheal'] %}
    {% do dbt_selfheal._validate_settings(layer, settings, origin) %}
    {% for key, value in layer.items() %}
      {% do settings.update({key: dbt_selfheal._setting_value(key, value, origin)}) %}
    {% endfor %}
  {% endfor %}
  {% if env_var('DBT_SELFHEAL_ENABLED', '') | lower in ('false', '0', 'no', 'off') %}
    {% do settings.update({'enabled': false}) %}
  {% endif %}
  {% do return(settings) %}
{% endmacro %}


{# Raise when the dict as a whole is wrong: not a dict, or a key that does not exist. #}
{% macro _validate_settings(layer, settings, origin) %}
  {% if layer is not mapping %}
    {% do dbt_selfheal._raise_setting('vars.dbt_selfheal', 'must be a dictionary of settings, and is ' ~ layer | tojson, origin) %}
  {% endif %}
  {% for key in layer if key not in settings %}
    {% set near = dbt_selfheal._nearest(key, settings | list) %}
    {% do dbt_selfheal._raise_setting(
      'vars.dbt_selfheal.' ~ key, 'is not a setting.' ~ (' Did you mean: ' ~ near | join(', ') ~ '?' if near else '')
        ~ '\nThe settings are: ' ~ settings | join(', '), origin) %}
  {% endfor %}
{% endmacro %}


{# A value with its template rendered, and those in a list of strings. #}
{% macro _rendered_setting(key, value, kind, origin) %}
  {% if value is string and '{' in value %}
    {% do return(try_or_compiler_error('dbt_selfheal: vars.dbt_selfheal.' ~ key ~ ' cannot be rendered: ' ~ value ~ '\nFix it in ' ~ origin ~ '.', render, value)) %}
  {% elif kind == 'list of strings' and value is iterable and value is not mapping and value is not string %}
    {% set items = [] %}
    {% for item in value %}{% do items.append(dbt_selfheal._rendered_setting(key, item, kind, origin)) %}{% endfor %}
    {% do return(items) %}
  {% endif %}
  {% do return(value) %}
{% endmacro %}


{# One value, rendered when it is a template and converted to the type of its default, or an error naming the key. #}
{% macro _setting_value(key, value, origin) %}
  {% set kind = dbt_selfheal._setting_kinds()[key] %}
  {% if '{' in value | string and (value is string or kind == 'list of strings') %}
    {% set value = dbt_selfheal._rendered_setting(key, value, kind, origin) %}
  {% endif %}
  {% if kind == 'list of strings' and value is string %}{% set value = [value] %}{% endif %}
  {% if kind == 'true or false' and value is string and value | lower in ('true', 'false') %}{% set value = value | lower == 'true' %}{% endif %}
  {% if kind.startswith(('seconds', 'days')) and value is string and modules.re.fullmatch('[0-9]+([.][0-9]+)?', value) %}{% set value = value | float %}{% endif %}
  {% set is_list = value is iterable and value is not mapping and value is not string %}
  {% set fits = {
    'true or false': value is boolean,
    'seconds, more than 0': value is number and value is not boolean and 0 < value < 10 ** 9,
    'seconds, 0 or more': value is number and value is not boolean and 0 <= value < 10 ** 9,
    'days, more than 0, or null': value is none or (value is number and value is not boolean and 0 < value < 10 ** 6),
    'build, warn or fail': value in ('build', 'warn', 'fail'),
    'list of strings': is_list and value | reject('string') | first is not defined,
    'list': is_list,
    'name of a schema': value is none or (value is string and value != ''),
  } %}
  {% if not fits[kind] %}
    {% do dbt_selfheal._raise_setting('vars.dbt_selfheal.' ~ key, 'must be: ' ~ kind ~ ('; it is ' ~ tojson(value, value | string) if key != 'initial_data' else ''), origin) %}
  {% endif %}
  {% do return(value) %}
{% endmacro %}


{# What each setting must be. #}
{% macro _setting_kinds() %}
  {% do return({
    'enabled': 'true or false', 'history': 'true or false', 'history_days': 'days, more than 0, or null', 'on_missing': 'build, warn or fail', 'required': 'list of strings',
    'targets': 'list of strings', 'timeout_seconds': 'seconds, more than 0', 'lock_timeout_seconds': 'seconds, 0 or more',
    'schema': 'name of a schema', 'initial_data': 'list', 'out_of_order': 'true or false',
  }) %}
{% endmacro %}


{# Whether the package is switched off, by setting or in this target. #}
{% macro _is_off(settings) %}
  {% do return(not settings.enabled or (settings.targets and target.name not in settings.targets)) %}
{% endmacro %}
