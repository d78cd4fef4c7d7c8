{#
  health_report: is the database fit for use, and what is to be done if not?
#}

{# Print, and emit as one JSON event, the checks of the database and one verdict: healthy, degraded (it works, and something
   needs attention) or broken (commands fail). Changes nothing. `dbt-selfheal health` adds what only the wrapper can see: the
   data tests, files and disk.
   select: list of node names, tag:x, path:x to look at instead of the required ones. Returns the report as a dict. #}
{% macro health_report(select=none) %}
  {% set settings, started_at = dbt_selfheal_database._settings(), dbt_selfheal._now() %}
  {% set report = {'checked_at': dbt_selfheal._iso(started_at), 'target': target.name, 'adapter': adapter.type(), 'schema': target.schema,
    'project': adapter.config.project_name, 'checks': dbt_selfheal_database._check_connection()} %}
  {% set plan = dbt_selfheal._current_plan(settings, select) %}
  {% set schema = dbt_selfheal_database._schema_report(plan) %}
  {% do report.update({'required': dbt_selfheal_database._health_relations(plan, schema)}) %}
  {% do report.checks.extend(dbt_selfheal_database._check_relations(report.required, schema)) %}
  {% do report.checks.extend([dbt_selfheal_database._check_migrations(settings), dbt_selfheal_database._check_initial_data(settings),
    dbt_selfheal_database._check_row_counts(report.required, plan)]) %}
  {% do report.checks.extend(dbt_selfheal_database._check_surroundings(settings, report)) %}
  {% set statuses = report.checks | map(attribute='status') | list %}
  {% do report.update({'verdict': 'broken' if 'failed' in statuses else 'degraded' if 'warning' in statuses else 'healthy', 'issues': schema.issues}) %}
  {% do dbt_selfheal._emit('health_report', report) %}
  {% do dbt_selfheal._line('Health: ' ~ report.verdict, asked=true) %}
  {% for check in report.checks %}
    {% do dbt_selfheal._line('  ' ~ (check.status if check.status == 'ok' else check.status | upper).ljust(9) ~ check.name.ljust(20) ~ check.summary, asked=true) %}
    {% if check.what_to_do %}{% do dbt_selfheal._line('           ' ~ check.what_to_do, asked=true) %}{% endif %}
  {% endfor %}
  {% do return(report) %}
{% endmacro %}


{# One check, also emitted by itself: an error in a later one ends the report. status: ok, warning or failed;
   what_to_do: none when it is ok; details: a dict of plain values. #}
{% macro _check(name, status, summary, what_to_do=none, details={}) %}
  {% set check = {'name': name, 'status': status, 'summary': summary, 'what_to_do': none if status == 'ok' else what_to_do, 'details': details} %}
  {% do dbt_selfheal._emit('health_check', check) %}
  {% do return(check) %}
{% endmacro %}


{# The required relations, each with what it reads of the others, its state (present, missing, wrong_kind, drifted) and rows. #}
{% macro _health_relations(plan, schema) %}
  {% set relations, states = [], {} %}
  {% for issue in schema.issues | reverse if issue.severity != 'info' %}
    {% do states.update({issue.unique_id: {'missing_relation': 'missing', 'wrong_kind': 'wrong_kind'}.get(issue.code, 'drifted')}) %}
  {% endfor %}
  {% for relation in dbt_selfheal._required_relations(plan) %}
    {% set node = plan.visited[relation.unique_id].node %}
    {% do relations.append({
      'unique_id': relation.unique_id, 'name': relation.name, 'resource_type': relation.resource_type, 'materialization': node.config.materialized,
      'tier': relation.tier, 'relation': relation.display_name, 'path': node.original_file_path, 'state': states.get(relation.unique_id, 'present'),
      'parents': dbt_selfheal_database._required_parents(node, plan.required), 'rows': none, 'file_rows': none}) %}
  {% endfor %}
  {% do return(relations) %}
{% endmacro %}


{# The required nodes that a node reads, through those that are not required. #}
{% macro _required_parents(node, required) %}
  {% set manifest, parents, seen = builtins.ref.manifest, [], {} %}
  {% set queue = node.depends_on_nodes | list %}
  {% for unique_id in queue if unique_id not in seen %}
    {% do seen.update({unique_id: true}) %}
    {% set parent = manifest.nodes.get(unique_id) %}
    {% if parent and unique_id in required and parent.config.materialized != 'ephemeral' %}
      {% do parents.append(unique_id) %}
    {% elif parent %}
      {% do queue.extend(parent.depends_on_nodes) %}
    {% endif %}
  {% endfor %}
  {% do return(parents) %}
{% endmacro %}
