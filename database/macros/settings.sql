{#
  What every operation of this package begins with.
#}

{# The settings of dbt_selfheal; an error where that package, which has them and the lock, is not installed beside this one. #}
{% macro _settings() %}
  {% if dbt_selfheal is not defined %}
    {% do exceptions.raise_compiler_error('dbt_selfheal_database: the package dbt_selfheal is not installed, and this one needs it. In packages.yml:\n'
      ~ '  packages:\n    - local: path/to/dbt-selfheal\n    - local: path/to/dbt-selfheal/database\n'
      ~ '(or `git:` with the address of the repository, and a second time with `subdirectory: database`). Then run: dbt deps') %}
  {% endif %}
  {% do return(dbt_selfheal._settings()) %}
{% endmacro %}


{# Whether healing, and with it this package, is switched off, by setting or in this target. #}
{% macro _is_off(settings) %}
  {% do return(not settings.enabled or (settings.targets and target.name not in settings.targets)) %}
{% endmacro %}
