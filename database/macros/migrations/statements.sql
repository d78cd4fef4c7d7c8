{#
  A migration's SQL, and its single statements.
#}

{# The statements of a migration (or rollback) macro: it renders SQL, or returns a text or a list of statements, which
   are then run as they are. The macro sees its own package's macros, and `ref` answers for any node. #}
{% macro _migration_statements(package, macro_name) %}
  {% set base = dbt_selfheal._base_context() %}
  {% do dbt_selfheal._lend_macros(package, base) %}
  {% do context.update({'ref': context['dbt_selfheal_database']['_migration_ref'], 'dbt_selfheal_manifest': base.manifest, 'dbt_selfheal_package': package}) %}
  {% set result = context[package][macro_name]() %}
  {% do dbt_selfheal._restore_context(base) %}
  {% if result is string %}{% do return(dbt_selfheal_database._statements(result)) %}{% endif %}
  {% if result is none %}{% do return([]) %}{% endif %}
  {% if result is mapping or result is not iterable or result | reject('string') | list %}
    {% do dbt_selfheal._raise('the macro ' ~ macro_name ~ ' must render its SQL, or return a text or a list of statements; it returned: '
      ~ result | string | truncate(200)) %}
  {% endif %}
  {% do return(result | map('trim') | select | list) %}
{% endmacro %}


{# `ref` in a migration: the relation of any node; a hook's own `ref` refuses what its SQL did not name. #}
{% macro _migration_ref() %}
  {% set name, package = varargs[-1], varargs[0] if varargs | length == 2 else none %}
  {% set version = kwargs.get('version') or kwargs.get('v') %}
  {% set node = dbt_selfheal_manifest.resolve_ref(none, name, package, version, adapter.config.project_name, dbt_selfheal_package) %}
  {% if not node or node.unique_id not in dbt_selfheal_manifest.nodes %}
    {% do dbt_selfheal._raise("a migration reads ref('" ~ varargs | join("', '") ~ "'), and no enabled node has that name.") %}
  {% endif %}
  {% do return(api.Relation.create_from(adapter.config, node)) %}
{% endmacro %}


{# SQL split into its statements at the semicolons that are not inside of a string, a quoted name, a comment, a
   dollar-quoted body, a trigger's body (create trigger ... begin ... end) or a function's (begin atomic ... end). #}
{% macro _statements(sql) %}
  {% set tokens = modules.re.compile(
    "--[^\\n]*|/\\*.*?\\*/|\\b[eE]'(?:\\\\.|''|[^'\\\\])*'|'(?:''|[^'])*'|\"(?:\"\"|[^\"])*\"|`[^`]*`|([$](?:[A-Za-z_]\\w*)?[$]).*?\\1|;", modules.re.DOTALL) %}
  {% set ends = [] %}
  {% for token in tokens.finditer(sql) if token.group(0) == ';' %}{% do ends.append(token.start()) %}{% endfor %}
  {% set statements, state = [], namespace(start=0, begun=none) %}
  {% for end in ends + [sql | length] %}
    {% set piece = sql[state.start:end].strip() %}
    {% set bare = dbt_selfheal_database._without_comments(piece) | lower %}
    {% if state.begun is not none %}
      {% if bare == 'end' or end == sql | length %}
        {% do statements.append(sql[state.begun:end].strip()) %}
        {% set state.begun = none %}
      {% endif %}
    {% elif modules.re.match('create\\b(?:.*\\bbegin\\s+atomic\\b|(?:\\s+temp(?:orary)?)?\\s+trigger\\b.*\\bbegin\\b)', bare, modules.re.DOTALL) %}
      {% set state.begun = state.start %}
    {% elif bare %}
      {% do statements.append(piece) %}
    {% endif %}
    {% set state.start = end + 1 %}
  {% endfor %}
  {% do return(statements) %}
{% endmacro %}


{# A statement without comments, stripped: for looking at, not for running (quotes are not respected). #}
{% macro _without_comments(sql) %}
  {% do return(modules.re.sub('--[^\\n]*|/\\*.*?\\*/', '', sql, 0, modules.re.DOTALL).strip()) %}
{% endmacro %}


{# Raise when a migration that runs in a transaction would end that transaction itself. #}
{% macro _check_statements(migration, statements) %}
  {% set ending = modules.re.compile(
    '(?:begin|start\\s+transaction|commit|end|abort|rollback(?!\\s+(?:work\\s+|transaction\\s+)?to\\b))\\b', modules.re.IGNORECASE) %}
  {% for statement in (statements if migration.transaction else []) %}{% for part in dbt_selfheal_database._statements(statement) %}
    {% set text = dbt_selfheal_database._without_comments(part) %}
    {% if ending.match(text) %}
      {% do dbt_selfheal._raise('the migration ' ~ dbt_selfheal_database._migration_title(migration) ~ ' (' ~ migration.path ~ ') begins or ends a transaction itself: '
        ~ text.split() | join(' ') | truncate(100, true, '...', 0) ~ '\nIt runs in one transaction with its history row. Take that statement out, or, if it must not '
        ~ 'run in a transaction, put this line into its SQL:\n  -- dbt_selfheal: no transaction') %}
    {% endif %}
  {% endfor %}{% endfor %}
{% endmacro %}
