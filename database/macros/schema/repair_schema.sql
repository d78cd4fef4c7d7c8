{#
  repair_schema: add what is missing. Nothing that holds data is dropped, replaced or narrowed.
#}

{# Add missing columns and indexes to tables, and recreate missing views. All else that differs is listed with the command
   that rebuilds it.
   select: as of validate_schema; apply: do it, unless the package is off; else it is only shown. Returns the report as a dict. #}
{% macro repair_schema(select=none, apply=false) %}
  {% set settings = dbt_selfheal_database._settings() %}
  {% set off = dbt_selfheal_database._is_off(settings) %}
  {% set plan = dbt_selfheal._current_plan(settings, select) %}
  {% set report = dbt_selfheal_database._repair_plan(plan) %}
  {% if apply and not off and report.actions %}{% set report = dbt_selfheal_database._apply_repair(plan, settings, select) %}{% endif %}
  {% do report.update({'applied': apply and not off, 'enabled': not off}) %}
  {% set word = 'done' if report.applied else 'to do (dry run: nothing is done)' if report.enabled else 'to do (off in this target or by setting; nothing was done)' %}
  {% do dbt_selfheal._line('Schema repair: ' ~ report.actions | length ~ ' ' ~ word ~ ', ' ~ report.left | length ~ ' left', asked=true) %}
  {% for action in report.actions %}
    {% do dbt_selfheal._line('  ' ~ action.action.ljust(13) ~ action.relation ~ (' ' ~ action.detail if action.detail else ''), asked=true) %}
  {% endfor %}
  {% for issue in report.left %}
    {% do dbt_selfheal._line('  left: ' ~ dbt_selfheal_database._issue_place(issue) ~ ': ' ~ issue.message, asked=true) %}
    {% do dbt_selfheal._line('        ' ~ issue.suggestion, asked=true) %}
  {% endfor %}
  {% if report.actions and report.enabled and not report.applied %}{% do dbt_selfheal._line('Do it with: ' ~ dbt_selfheal_database._repair_command_of_schema(), asked=true) %}{% endif %}
  {% do dbt_selfheal._emit('schema_repair', report) %}
  {% do return(report) %}
{% endmacro %}


{# What would be done and what would be left: {actions: [{action, unique_id, relation, detail, sql}], left: [issues]}.
   A column's name is written in quotes, so that any name can be; one that could be written without them, and whose config does
   not ask for them, becomes what the database makes of it then (of letters beyond ASCII it keeps the case). #}
{% macro _repair_plan(plan) %}
  {% set actions, left, views, issues = [], [], dbt_selfheal_database._missing_views(plan), dbt_selfheal_database._schema_report(plan).issues %}
  {% for issue in issues if issue.severity != 'info' %}
    {% set node = plan.visited[issue.unique_id].node %}
    {% set relation = api.Relation.create_from(adapter.config, node) %}
    {% set action = {'unique_id': issue.unique_id, 'relation': issue.relation, 'sql': none} %}
    {% if issue.code == 'missing_column' and issue.repairable %}
      {% set plain = not issue.quote and modules.re.fullmatch('[^\\W\\d][\\w$]*', issue.column) %}
      {% set name = issue.column.encode('utf-8').lower().decode('utf-8') if plain and dbt_selfheal_database._traits().lowers_names else issue.column %}
      {% do actions.append(dict(action, action='add column', detail=issue.column ~ ' ' ~ issue.data_type ~ ' (null in the rows that are there)',
        sql='alter table ' ~ relation ~ ' add column ' ~ adapter.quote(name.replace('"', '""')) ~ ' ' ~ issue.data_type)) %}
    {% elif issue.code == 'missing_index' %}
      {% set obstacle = dbt_selfheal_database._index_obstacle(relation, issue, issues | selectattr('unique_id', 'equalto', issue.unique_id) | selectattr('code', 'equalto', 'missing_column') | list) %}
      {% if obstacle %}
        {% do left.append(dict(issue, message=issue.message ~ ', and cannot be made: ' ~ obstacle, suggestion=dbt_selfheal_database._rebuild_command(node))) %}
      {% else %}
        {% do actions.append(dict(action, action='create index', detail='(' ~ issue.index['columns'] | join(', ') ~ ')' ~ (' unique' if issue.index.get('unique') else ''),
          sql=dbt_selfheal_database._create_index_sql(relation, issue.index))) %}
      {% endif %}
    {% elif issue.code == 'missing_relation' and issue.unique_id in views %}
      {% do actions.append(dict(action, action='create view', detail='')) %}
    {% else %}
      {% do left.append(issue) %}
    {% endif %}
  {% endfor %}
  {% do return({'actions': actions, 'left': left}) %}
{% endmacro %}


{# Why a missing index cannot be made, or none. absent: the issues of the relation's missing columns; one that is added
   holds nothing but nulls, which are all different. #}
{% macro _index_obstacle(relation, issue, absent) %}
  {% set columns = dbt_selfheal_database._lower_names(issue.index['columns'] | tojson) %}
  {% set lacking = absent | map(attribute='column') | map('lower') | select('in', columns) | list %}
  {% if absent | rejectattr('repairable') | map(attribute='column') | map('lower') | select('in', columns) | list %}
    {% do return('the table lacks ' ~ lacking | join(', ')) %}
  {% elif issue.index.get('unique') and not lacking %}
    {% set names, filled = issue.index['columns'], [] %}
    {% for name in names %}{% do filled.append(name ~ ' is not null') %}{% endfor %}
    {% set doubled = dbt_selfheal._fetch('select count(*) from (select 1 as x from ' ~ relation ~ ' where ' ~ filled | join(' and ') ~ ' group by ' ~ names | join(', ')
      ~ ' having count(*) > 1) as doubled')[0][0] | int %}
    {% if doubled %}{% do return(doubled ~ ' of its values are there more than once') %}{% endif %}
  {% endif %}
  {% do return(none) %}
{% endmacro %}


{# The steps of a plan that are views and for which no table has to be built first: {unique_id: step}. #}
{% macro _missing_views(plan) %}
  {% set blocked, views, steps = {}, {}, {} %}
  {% for step in plan.steps %}{% do steps.update({step.unique_id: step}) %}{% endfor %}
  {% for entry in plan.order %}
    {% set ok = namespace(all=true) %}
    {% for parent in entry.parents if parent in blocked %}{% set ok.all = false %}{% endfor %}
    {% set step = steps.get(entry.unique_id) %}
    {% if not ok.all or (step and (step.node.config.materialized != 'view' or step.refusal)) %}
      {% do blocked.update({entry.unique_id: true}) %}
    {% elif step %}
      {% do views.update({entry.unique_id: step}) %}
    {% endif %}
  {% endfor %}
  {% do return(views) %}
{% endmacro %}


{# Do what is to be done, as it is found under the lock: another run may have done it while this one waited. Views are made by
   their own materialization, as healing does. Returns the report. #}
{% macro _apply_repair(plan, settings, select) %}
  {% set step = dbt_selfheal._step('repair_schema') %}
  {% set schemas = plan.visited.values() | selectattr('node') | map(attribute='node') | map(attribute='schema') | list %}
  {% set lock = dbt_selfheal._acquire_lock(settings, schemas) %}
  {% do dbt_selfheal_database._refresh_cache() %}
  {% set plan = dbt_selfheal._current_plan(settings, select) %}
  {% set report = dbt_selfheal_database._repair_plan(plan) %}
  {% for action in report.actions if action.sql %}
    {% do dbt_selfheal._emit('schema_repair_started', {'action': action.action, 'relation': action.relation}) %}
    {% do adapter.add_query(action.sql) %}
    {% do adapter.commit() %}
  {% endfor %}
  {% set views = dbt_selfheal_database._missing_views(plan).values() | list %}
  {% if views %}
    {% do dbt_selfheal._build_steps(views, settings, dbt_selfheal._now() + modules.datetime.timedelta(seconds=settings.timeout_seconds) if settings.timeout_seconds) %}
  {% endif %}
  {% do dbt_selfheal._release_lock(lock) %}
  {% do dbt_selfheal._step(step) %}
  {% do return(report) %}
{% endmacro %}
