{#
  `dbt retry`. It selects by what has failed, and leaves selected_resources empty. And an error in a hook leaves no run_results.json, so
  that `dbt retry` would repeat whatever ran before: what it needs is left here, before anything can fail.
#}

{# The unique ids of the nodes that the command builds, as the keys of a dict. An operation selects nothing, and no hook runs with nothing
   selected but that of `dbt retry`: it runs those that did not succeed in the run before, whose results are still in the target folder. (dbt v2 says which.) #}
{% macro _selected() %}
  {% if selected_resources or flags.WHICH == 'run-operation' or dbt_version >= '2' %}{% do return(dict.fromkeys(selected_resources or [])) %}{% endif %}
  {% set folder, retried = '' ~ (adapter.config.args.state or adapter.config.target_path), {} %}
  {% if not folder.startswith('/') %}{% set folder = adapter.config.project_root ~ '/' ~ folder %}{% endif %}
  {% for result in run_query('select 1 as x').from_json(folder ~ '/run_results.json', key='results').rows %}
    {% if result['status'] in ('error', 'fail', 'skipped', 'runtime error', 'partial success') %}{% do retried.update({result['unique_id']: none}) %}{% endif %}
  {% endfor %}
  {% do return(retried) %}
{% endmacro %}


{# Write run_results.json as it is when the command has run none of its nodes; dbt writes its own over it when the command ends. (An
   agate table, which any query's result is, writes a file; its one line is the name of its one column.) #}
{% macro _leave_for_retry() %}
  {% if not selected_resources or not flags.WRITE_JSON or dbt_version >= '2' %}{% do return(none) %}{% endif %}  {# none are selected in an operation, and by dbt retry; v2 writes it #}
  {% set folder, results, args = '' ~ adapter.config.target_path, [], {} %}
  {% if not folder.startswith('/') %}{% set folder = adapter.config.project_root ~ '/' ~ folder %}{% endif %}
  {% for id in selected_resources %}
    {% do results.append({'status': 'skipped', 'timing': [], 'thread_id': 'main', 'execution_time': 0.0, 'adapter_response': {}, 'message': none, 'failures': none,
                          'unique_id': id, 'compiled': none, 'compiled_code': none, 'relation_name': none}) %}
  {% endfor %}
  {% for name, value in invocation_args_dict.items() %}  {# a sample's window is an object #}
    {% set parts = {} %}
    {% for key, part in (value.to_dict() if value.to_dict is defined else {}).items() %}{% do parts.update({key: part | string}) %}{% endfor %}
    {% do args.update({name: parts or value}) %}
  {% endfor %}
  {% set text = tojson({
    'metadata': {'dbt_schema_version': 'https://schemas.getdbt.com/dbt/run-results/v6.json', 'dbt_version': dbt_version, 'generated_at': dbt_selfheal._iso(dbt_selfheal._now()),
                 'invocation_id': invocation_id, 'env': {}},
    'results': results, 'elapsed_time': 0.0, 'args': args}) %}
  {% do run_query('select 1 as x').from_object([{text: 1}]).limit(0).to_csv(folder ~ '/run_results.json', delimiter='\x01', quotechar='\x02', quoting=3) %}
{% endmacro %}
