{#
  What can be wrong with migrations, and what to do: all of it is found before anything runs.
#}

{# Raise when anything is wrong, naming all of it, with the status as a JSON event. #}
{% macro _raise_migration_problems(status) %}
  {% if status.problems %}
    {% do dbt_selfheal_database._emit_migration_status(status) %}
    {% do dbt_selfheal._raise(dbt_selfheal_database._problems_text(status)) %}
  {% endif %}
{% endmacro %}


{% macro _problems_text(status) %}
  {% set lines = [] %}
  {% for problem in status.problems[:10] %}{% do lines.append('- ' ~ problem | indent(2)) %}{% endfor %}
  {% if status.problems | length > 10 %}{% do lines.append('- and ' ~ (status.problems | length - 10) ~ ' more') %}{% endif %}
  {% do return('the migrations cannot be applied, and nothing was:\n' ~ lines | join('\n')) %}
{% endmacro %}


{# What is wrong between the project and the history: list of texts. entries: of _migration_status, in order. #}
{% macro _history_problems(entries, settings) %}
  {% set problems, newest = [], {} %}
  {% for entry in entries if entry.state in ('applied', 'changed') %}{% do newest.update({entry.package: entry}) %}{% endfor %}
  {% for entry in entries if entry.state != 'applied' %}
    {% set named, later = dbt_selfheal_database._migration_title(entry) ~ ' (' ~ entry.path ~ ') ', newest.get(entry.package) %}
    {% if entry.state == 'changed' %}
      {% do problems.append(named ~ 'was changed after it was applied on ' ~ entry.last.completed_at
        ~ ' (checksum then ' ~ entry.last.checksum ~ ', now ' ~ entry.checksum ~ ').\nPut the file back as it was (git log -p ' ~ entry.path
        ~ ') and write a new migration for what is to change.\nIf the change means nothing (a comment, white space), accept it:\n  '
        ~ dbt_selfheal_database._repair_command(entry, 'mark_applied')) %}
    {% elif entry.state == 'gone' %}
      {% do problems.append(dbt_selfheal_database._gone_problem(entry)) %}
    {% elif entry.state == 'interrupted' %}
      {% set back = entry.last.action == 'rollback' %}
      {% do problems.append(named ~ 'was ' ~ ('applied on ' ~ entry.last.completed_at ~ '. Its rollback was started' if back else 'started on ' ~ entry.last.started_at)
        ~ ' without a transaction and did not finish: of its ' ~ entry.last.statements_total ~ ' statements the first ' ~ entry.last.statements_done
        ~ ' are done and stay, and the next may be done in part.\nLook at the database, then say which it is:\n'
        ~ '  ' ~ dbt_selfheal_database._repair_command(entry, 'rerun') ~ '         to run all of ' ~ ('the rollback' if back else 'it') ~ ' again\n'
        ~ '  ' ~ dbt_selfheal_database._repair_command(entry, 'mark_applied') ~ '  when you have ' ~ ('put back what it took away' if back else 'done the rest by hand') ~ '\n'
        ~ '  ' ~ dbt_selfheal_database._repair_command(entry, 'mark_failed') ~ '   when you have ' ~ ('done the rest of it by hand' if back else 'taken back what was done') ~ '; it is pending then') %}
    {% elif not settings.out_of_order and later and entry.order < later.order %}
      {% do problems.append(named ~ 'is out of order: it is pending, and the later ' ~ dbt_selfheal_database._migration_title(later) ~ ' is applied.\nGive it a version after '
        ~ later.version ~ ', or, if the two do not depend on each other, allow it in dbt_project.yml:\n  vars: {dbt_selfheal: {out_of_order: true}}') %}
    {% endif %}
  {% endfor %}
  {% do return(problems) %}
{% endmacro %}


{% macro _gone_problem(entry) %}
  {% do return(dbt_selfheal_database._migration_title(entry) ~ ' was applied on ' ~ (entry.last.completed_at or entry.last.started_at) ~ ' and is gone from the project: '
    ~ 'there is no macro ' ~ entry.macro ~ ' in ' ~ entry.package ~ '.\nPut it back (another branch may have it). If it is gone for good and nothing of '
    ~ 'it is in the database, forget it:\n  ' ~ dbt_selfheal_database._repair_command(entry, 'mark_failed')) %}
{% endmacro %}


{# The command that repairs a migration. #}
{% macro _repair_command(entry, action) %}
  {% set version = (entry.package ~ '.' if entry.package != adapter.config.project_name else '') ~ entry.version %}
  {% do return('dbt run-operation repair_migrations --args \'{version: "' ~ version ~ '", action: ' ~ action ~ '}\'') %}
{% endmacro %}
