{#
  What dbt_selfheal's hook calls, in each command that runs nodes, before it looks for what is missing. (Most of what a macro costs
  then is that dbt compiles its source: what is called with every command is kept short.)
#}

{# Stop before a marked seed would be emptied, and act on pending migrations where the project has them run by hooks (the setting
   `migrations`). Returns whether any was applied. active: whether this target is one of the setting `targets`; edited rows are kept in all. #}
{% macro _before_healing(settings, active) %}
  {% if flags.WHICH in ('build', 'seed', 'retry') and dbt_selfheal_database._marked_seed_ids() %}{% do dbt_selfheal_database._protect_seeds() %}{% endif %}
  {% set applied = active and settings.migrations and dbt_selfheal_database._run_pending(settings) %}
  {% if applied %}{% do dbt_selfheal._discard_open_transaction() %}{% endif %}
  {% do return(applied) %}
{% endmacro %}
