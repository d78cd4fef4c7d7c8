{#
  Migrations are macros of the project and of its packages:
    migration__<version>__<slug>    renders (or returns) the SQL that brings the database to that version
    rollback__<version>__<slug>     the way back, where there is one
  <version> is a number, or numbers joined by underscores (0001, 20260131, 2026_01_31), compared as numbers.
#}

{# The names of all macros that are, or look like, migrations or rollbacks: list of [package, macro name]. One search
   through the joined names, so that a project without migrations pays next to nothing. #}
{% macro _migration_macro_names() %}
  {% set names = [] %}
  {% for id in dbt_selfheal_database._migration_ids('(?:migration|rollback)') %}{% do names.append(id.split('.')[1:]) %}{% endfor %}
  {% do return(names) %}
{% endmacro %}


{# The ids of the macros whose name is that of a migration, or, in the project itself, almost that (a package's macro that only
   looks like one is none of ours). prefix: pattern of what the names begin with. #}
{% macro _migration_ids(prefix) %}
  {% do return(modules.re.findall('^macro[.](?:\\w+[.]' ~ prefix ~ '__[0-9_]+__|' ~ adapter.config.project_name ~ '[.](?i:' ~ prefix
    ~ '(?:_[0-9]|s?_(?:_|v?[0-9]\\w*__))))\\w*$', builtins.ref.manifest.macros | join('\n'), modules.re.MULTILINE)) %}
{% endmacro %}


{# All migrations of the project and its packages. names: of _migration_macro_names.
   Returns {'all': list of migrations in the order in which they are applied, 'problems': list of texts}. #}
{% macro _find_migrations(names) %}
  {% set found, rollbacks, problems = {}, {}, [] %}
  {% for package, name in names %}
    {% set parts = modules.re.fullmatch('(migration|rollback)__([0-9]+(?:_[0-9]+)*)__([A-Za-z0-9]\\w*)', name) %}
    {% if not parts %}
      {% do problems.append(dbt_selfheal_database._bad_name_problem(package, name)) %}
    {% else %}
      {% set migration = dbt_selfheal_database._migration(package, name, parts.group(2), parts.group(3)) %}
      {% set target_list = found if parts.group(1) == 'migration' else rollbacks %}
      {% do target_list.setdefault(migration.id, []).append(migration) %}
    {% endif %}
  {% endfor %}
  {% set all = [] %}
  {% for id, migrations in found.items() %}
    {% set migration = migrations[0] %}
    {% if migrations | length > 1 %}{% do problems.append(dbt_selfheal_database._duplicate_problem(migrations)) %}{% endif %}
    {% for rollback in rollbacks.get(id, []) | list if rollback.slug == migration.slug %}
      {% do migration.update({'rollback': rollback.macro, 'rollback_transaction': migration.transaction and rollback.transaction}) %}
      {% do rollbacks[id].remove(rollback) %}
    {% endfor %}
    {% do all.append(migration) %}
  {% endfor %}
  {% for rollback in rollbacks.values() | sum(start=[]) %}
    {% do problems.append(rollback.macro ~ ' (' ~ rollback.path ~ ') has no migration: there is no macro ' ~ rollback.macro | replace('rollback__', 'migration__', 1)
      ~ '.\nGive both the same version and name, or delete the rollback.') %}
  {% endfor %}
  {% do return({'all': all | sort(attribute='order'), 'problems': problems}) %}
{% endmacro %}


{# One migration, as a dict. id: what identifies it. #}
{% macro _migration(package, macro_name, version, slug) %}
  {% set macro = dbt_selfheal._manifest().macros['macro.' ~ package ~ '.' ~ macro_name] %}
  {% do return({
    'id': dbt_selfheal_database._migration_id(package, version), 'package': package, 'version': version, 'slug': slug, 'macro': macro_name,
    'order': dbt_selfheal_database._migration_order(package, version),
    'checksum': local_md5(macro.macro_sql.replace('\r\n', '\n').strip()), 'path': macro.original_file_path, 'rollback': none, 'rollback_transaction': true,
    'transaction': not modules.re.search('dbt_selfheal:\\s*no transaction', macro.macro_sql) and dbt_selfheal_database._has_transactional_ddl(),
  }) %}
{% endmacro %}


{# A text that sorts migrations by version (a column of the history holds 255 digits), packages before the project. #}
{% macro _migration_order(package, version) %}
  {% set digits = [] %}
  {% for part in version.split('_') %}{% do digits.append(part.lstrip('0').rjust(255, '0')) %}{% endfor %}
  {% do return(digits | join('_') ~ ' ' ~ ('~' if package == adapter.config.project_name else package)) %}
{% endmacro %}


{# What identifies a migration: its package and its version, without leading zeros. #}
{% macro _migration_id(package, version) %}
  {% do return(package ~ '.' ~ modules.re.sub('(?<![0-9])0+(?=[0-9])', '', version)) %}
{% endmacro %}


{# "0001 create_tenants", with its package when it is not the root project's. #}
{% macro _migration_title(migration) %}
  {% do return((migration.package ~ '.' if migration.package != adapter.config.project_name else '') ~ migration.version ~ ' ' ~ migration.slug) %}
{% endmacro %}


{% macro _bad_name_problem(package, name) %}
  {% set path = dbt_selfheal._manifest().macros['macro.' ~ package ~ '.' ~ name].original_file_path %}
  {% do return('the macro ' ~ name ~ ' (' ~ path ~ ') looks like a migration, and its name is not of the form migration__<version>__<name>.'
    ~ '\nRename it, for example to ' ~ ('rollback' if name.startswith('rollback') else 'migration') ~ '__0001__create_tenants: two underscores around '
    ~ 'the version, which is a number.') %}
{% endmacro %}


{% macro _duplicate_problem(migrations) %}
  {% set lines = [] %}
  {% for migration in migrations %}{% do lines.append('  ' ~ migration.macro ~ ' (' ~ migration.path ~ ')') %}{% endfor %}
  {% do return('the version ' ~ migrations[0].version ~ ' is used by ' ~ migrations | length ~ ' migrations:\n' ~ lines | join('\n')
    ~ '\nGive the newer one a version of its own (two branches were probably merged).') %}
{% endmacro %}


{# Whether a failed statement takes back the DDL before it in the same transaction. #}
{% macro _has_transactional_ddl() %}
  {% do return(adapter.dispatch('_has_transactional_ddl', 'dbt_selfheal_database')()) %}
{% endmacro %}

{% macro default___has_transactional_ddl() %}{% do return(false) %}{% endmacro %}
{% macro sqlite___has_transactional_ddl() %}{% do return(true) %}{% endmacro %}
{% macro duckdb___has_transactional_ddl() %}{% do return(not adapter.config.credentials.disable_transactions) %}{% endmacro %}
{% macro postgres___has_transactional_ddl() %}{% do return(not adapter.config.credentials.autocommit) %}{% endmacro %}
