{#
  validate_schema: what the project declares, against what the database has.
#}

{# Print, and emit as one JSON event, how the required relations differ from what the project declares: columns, types,
   nullability, keys, indexes, kind. Changes nothing.
   select: list of node names, tag:x, path:x to compare instead of the required ones; strict: raise an error when anything of
   the severity warning or higher is found. Returns the report as a dict. #}
{% macro validate_schema(select=none, strict=false) %}
  {% set settings = dbt_selfheal_database._settings() %}
  {% set report = dbt_selfheal_database._schema_report(dbt_selfheal._current_plan(settings, select)) %}
  {% do dbt_selfheal._emit('schema_validation', report) %}
  {% do dbt_selfheal._line('Schema: ' ~ ('valid' if report.valid else 'NOT as declared') ~ ' (' ~ report.relations ~ ' relations compared; found: '
    ~ dbt_selfheal_database._schema_counts(report) ~ ')', asked=true) %}
  {% for issue in report.issues %}
    {% do dbt_selfheal._line('  ' ~ (issue.severity if issue.severity == 'info' else issue.severity | upper).ljust(9) ~ dbt_selfheal_database._issue_place(issue) ~ ': ' ~ issue.message, asked=true) %}
    {% do dbt_selfheal._line('           ' ~ issue.suggestion, asked=true) %}
  {% endfor %}
  {% if strict and report.severity in ('warning', 'error', 'critical') %}
    {% do dbt_selfheal._raise('the schema is not as the project declares it: ' ~ dbt_selfheal_database._schema_counts(report)
      ~ '\nThe lines above name each with what to do. `dbt run-operation repair_schema` shows what can be added without touching data.') %}
  {% endif %}
  {% do return(report) %}
{% endmacro %}


{# Print, and emit as one JSON event, what the database has of the required relations: columns, keys and indexes as in _catalog.
   Changes nothing. select: as of validate_schema. Returns the relations, a list of dicts. #}
{% macro schema_info(select=none) %}
  {% set settings = dbt_selfheal_database._settings() %}
  {% set plan, places, relations = dbt_selfheal._current_plan(settings, select), {}, [] %}
  {% for entry in plan.visited.values() if entry.unique_id in plan.required and entry.node and not entry.node.is_ephemeral_model and not entry.is_function %}
    {% do relations.append({'unique_id': entry.unique_id, 'name': entry.node.name, 'resource_type': entry.node.resource_type | string,
      'relation': entry.node.schema ~ '.' ~ entry.node.alias, 'key': dbt_selfheal_database._catalog_key(entry.node.database, entry.node.schema, entry.node.alias)}) %}
    {% do places.setdefault((entry.node.database, entry.node.schema), api.Relation.create_from(adapter.config, entry.node).without_identifier()) %}
  {% endfor %}
  {% set catalog = dbt_selfheal_database._catalog(places, not plan.steps) %}
  {% for relation in relations %}
    {% set found = catalog.get(relation.pop('key')) %}
    {% do relation.update({'exists': found is not none, 'kind': found.kind if found else none, 'columns': found['columns'].values() | list if found else [],
      'keys': found['keys'] if found else [], 'indexes': found['indexes'] if found else []}) %}
    {% do dbt_selfheal._line('  ' ~ (relation.kind or 'MISSING').ljust(9) ~ relation.relation ~ ' (' ~ relation['columns'] | map(attribute='name') | join(', ') ~ ')', asked=true) %}
  {% endfor %}
  {% do dbt_selfheal._emit('schema_info', {'adapter': adapter.type(), 'database': target.database, 'schema': target.schema, 'relations': relations}) %}
  {% do return(relations) %}
{% endmacro %}


{# The report: {valid, severity (the worst, or none), relations (how many were compared), counts by severity, issues}. #}
{% macro _schema_report(plan) %}
  {% set compared, places, types = [], {}, {} %}
  {% for entry in plan.visited.values() if entry.unique_id in plan.required and entry.node and not entry.node.is_ephemeral_model and not entry.is_function %}
    {% set node = entry.node %}
    {% set declared = dbt_selfheal_database._declared_relation(node) %}
    {% do compared.append((entry, declared)) %}
    {% do places.setdefault((node.database, node.schema), api.Relation.create_from(adapter.config, node).without_identifier()) %}
    {% for column in declared.columns.values() if column.type %}{% do types.update({column.type: none}) %}{% endfor %}
  {% endfor %}
  {% set catalog, types = dbt_selfheal_database._catalog(places, not plan.steps), dbt_selfheal_database._type_names(types) %}
  {% set issues = [] %}
  {% for entry, declared in compared %}
    {% set found = catalog.get(dbt_selfheal_database._catalog_key(entry.node.database, entry.node.schema, entry.node.alias)) %}
    {% do issues.extend(dbt_selfheal_database._compare_relation(entry, declared, found, types)) %}
  {% endfor %}
  {% do return(dbt_selfheal_database._report_of_issues(issues, compared | length)) %}
{% endmacro %}


{# A report of issues, the worst first. #}
{% macro _report_of_issues(issues, relations) %}
  {% set counts, sorted = {}, [] %}
  {% for severity in ('critical', 'error', 'warning', 'info') %}
    {% set those = issues | selectattr('severity', 'equalto', severity) | list %}
    {% do counts.update({severity: those | length}) %}
    {% do sorted.extend(those) %}
  {% endfor %}
  {% do return({'valid': counts.critical + counts.error == 0, 'severity': sorted[0].severity if sorted else none, 'relations': relations,
    'counts': counts, 'issues': sorted}) %}
{% endmacro %}


{# "1 critical, 2 warning", or "nothing". #}
{% macro _schema_counts(report) %}
  {% set parts = [] %}
  {% for severity, count in report.counts.items() if count %}{% do parts.append(count ~ ' ' ~ severity) %}{% endfor %}
  {% do return(parts | join(', ') or 'nothing') %}
{% endmacro %}


{% macro _issue_place(issue) %}
  {% do return(issue.relation ~ ('.' ~ issue.column if issue.column else '')) %}
{% endmacro %}
