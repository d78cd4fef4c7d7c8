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
    'schema': none,
    'initial_data': [],
    'out_of_order': false,
  }) %}
{% endmacro %}


{# The settings in force: defaults, then dbt_project.yml, then --vars, key by key; strings are rendered. #}
{% macro _settings() %}
  {% set settings = dbt_selfheal._default_settings() %}
  {% set layers = {
    'dbt_project.yml': adapter.config.vars.to_dict().get('dbt_selfheal'),
    '--vars': adapter.config.cli_vars.get('dbt_selfheal'),
  } %}
  {% for origin, layer in layers.items() if layer is not none %}
    {% do dbt_selfheal._validate_settings(layer, settings, origin) %}
    {% for key, value in layer.items() %}
      {% do settings.update({key: dbt_selfheal._setting_value(key, value, settings[key], origin)}) %}
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


{# One value, rendered when it is a template and converted to the type of its default, or an error naming the key. #}
{% macro _setting_value(key, value, default, origin) %}
  {% set value = render(value) if value is string and '{' in value else value %}
  {% set expected = none %}
  {% if key in ('enabled', 'history', 'out_of_order') %}
    {% if value is string and value | lower in ('true', 'false') %}{% set value = value | lower == 'true' %}{% endif %}
    {% set expected = 'true or false' if value is not boolean %}
  {% elif key in ('timeout_seconds', 'lock_timeout_seconds') %}
    {% if value is string and modules.re.fullmatch('[0-9]+([.][0-9]+)?', value) %}{% set value = value | float %}{% endif %}
    {% set least = 0 if key == 'lock_timeout_seconds' else 0.001 %}
    {% set expected = 'a number of seconds, ' ~ ('0 or more' if least == 0 else 'more than 0')
        if value is not number or value is boolean or value < least %}
  {% elif key == 'on_missing' %}
    {% set expected = 'build, warn or fail' if value not in ('build', 'warn', 'fail') %}
  {% elif key in ('required', 'targets') %}
    {% if value is string %}{% set value = [value] %}{% endif %}
    {% set expected = 'a list of strings' if value is mapping or value is not iterable or value | reject('string') | list %}
  {% elif key == 'schema' %}
    {% set expected = 'the name of a schema' if value is not none and (value is not string or not value) %}
  {% elif key == 'initial_data' %}
    {% set expected = 'a list' if value is string or value is mapping or value is not iterable %}
  {% endif %}
  {% if expected %}
    {% do dbt_selfheal._raise_setting('vars.dbt_selfheal.' ~ key, 'must be ' ~ expected ~ ', and is ' ~ value | tojson(value | string), origin) %}
  {% endif %}
  {% do return(value) %}
{% endmacro %}


{# Whether healing applies to this invocation: enabled, in this target, and a command that runs nodes. #}
{% macro _is_active(settings) %}
  {% do return(
    settings.enabled
    and flags.WHICH in ('build', 'run', 'seed', 'snapshot', 'test', 'retry', 'clone', 'run-operation')
    and (not settings.targets or target.name in settings.targets)
  ) %}
{% endmacro %}
