{#
  Sources that what is to be built reads.
#}

{# The sources that are not in the database, of those that the plan's steps and the command's own nodes read: a list of dicts, those that stop
   healing first. They have unique_id; name, of the source and its table; relation, as SQL has it; read_by, a unique id, or none for a
   node of the command; stops: whether it is certain that a step cannot be built without it (what a selected node itself reads is dbt's
   own business, and is only named); message: what happened, where and what to do. #}
{% macro _missing_sources(plan) %}
  {% set manifest, names, missing = dbt_selfheal._manifest(), {}, [] %}
  {% for entry in plan.steps if not entry.clone %}
    {% set node = entry.node %}
    {% for unique_id in node.depends_on.nodes or [] if unique_id.startswith('source.') and unique_id not in plan.visited %}
      {% set source = manifest.sources[unique_id] %}
      {% if not dbt_selfheal._source_exists(source, names) and not node.config.pre_hook
          and unique_id not in dbt_selfheal._edges(node.unique_id) %}
        {% set makers = [] %}
        {% for other in (manifest.disabled or {}).values() | sum(start=[]) if other.resource_type in ('model', 'seed', 'snapshot') and other.alias == source.identifier
            and (other.database ~ '.' ~ other.schema) | lower == (source.database ~ '.' ~ source.schema) | lower %}{% do makers.append(other) %}{% endfor %}
        {% do missing.append({
          'unique_id': unique_id, 'name': source.source_name ~ '.' ~ source.name, 'relation': source.relation_name, 'read_by': node.unique_id, 'stops': true,
          'message': 'the source ' ~ source.source_name ~ '.' ~ source.name ~ ' is missing: there is no ' ~ source.relation_name ~ ' in the database.'
            ~ '\nIt is read by ' ~ node.name ~ ' (' ~ node.original_file_path ~ '), which is missing and cannot be built without it.\n'
            ~ ('The ' ~ makers[0].resource_type ~ ' ' ~ makers[0].name ~ ' (' ~ makers[0].original_file_path ~ ') makes it, and is disabled: enable it.' if makers
               else 'Load it' ~ (' with ' ~ source.loader if source.loader else '') ~ ', or correct its database, schema or identifier in '
               ~ source.original_file_path ~ '.') ~ ' Nothing was built.'}) %}
      {% endif %}
    {% endfor %}
  {% endfor %}
  {% for unique_id, reason in plan.required.items() if unique_id.startswith('source.') and unique_id not in plan.visited and unique_id not in missing | map(attribute='unique_id') %}
    {% set source = manifest.sources[unique_id] %}
    {% if not dbt_selfheal._source_exists(source, names) %}
      {% do missing.append({
        'unique_id': unique_id, 'name': source.source_name ~ '.' ~ source.name, 'relation': source.relation_name, 'read_by': none, 'stops': false,
        'message': 'the source ' ~ source.source_name ~ '.' ~ source.name ~ ' (' ~ source.original_file_path ~ ') seems to be missing: there is no '
          ~ source.relation_name ~ ' in the database. It is ' ~ reason ~ '.'}) %}
    {% endif %}
  {% endfor %}
  {% do return(missing) %}
{% endmacro %}


{# Whether a source can be read, as far as the catalog tells: whatever is no plain relation (a file, a call with arguments, what a plugin
   loads) is taken to be there. Without regard to case. names: dict that remembers the names in the schemas asked. #}
{% macro _source_exists(source, names) %}
  {% set settings = dict(source.meta or {}, **dict(source.source_meta or {}, **(source.config.meta or {}))) %}
  {% if not modules.re.fullmatch('[^()\'{}/*]+', source.identifier) or (dbt_selfheal._traits().file_sources and ('external_location' in settings or 'plugin' in settings or '(' in source.relation_name or "'" in source.relation_name)) %}
    {% do return(true) %}
  {% endif %}
  {% set place = source.database ~ '.' ~ source.schema %}
  {% if not dbt_selfheal._traits().names %}{% do return(adapter.get_relation(source.database, source.schema, source.identifier) is not none) %}{% endif %}
  {% if place not in names %}{% do names.update({place: dbt_selfheal._names_in_schema(source, true)}) %}{% endif %}
  {% set function = dbt_selfheal._traits().function_exists %}
  {% do return(source.identifier | lower in names[place] or (function and dbt_selfheal._fetch(function, source, source.identifier) | length > 0)) %}
{% endmacro %}
