{#
  Migrations are macros of the project and of its packages that can be called without arguments:
    migration__<version>__<slug>    renders (or returns) the SQL that brings the database to that version
    rollback__<version>__<slug>     the way back, where there is one
  <version> is a number, or numbers joined by underscores (0001, 20260131, 2026_01_31), compared as numbers.
  A macro with required arguments is somebody's own, whatever its name.
#}

{# The ids of the macros named so, {certain: list, alike: list of those whose name is almost that, in the project itself: a
   package's macro that only looks like one is none of ours}. One search through the joined names, so that a project without
   migrations pays next to nothing. kinds: pattern of what the names begin with. #}
{% macro _migration_ids(kinds='(?:migration|rollback)') %}
  {% set macros, certain, alike = builtins.ref.manifest.macros, [], [] %}
  {% for id in modules.re.findall('^macro[.](?:\\w+[.]' ~ kinds ~ '__[0-9_]+__|' ~ adapter.config.project_name ~ '[.](?i:' ~ kinds
      ~ '(?:_[0-9]|s?_(?:_|v?[0-9]\\w*__))))\\w*$', macros | join('\n'), modules.re.MULTILINE)
      if not modules.re.match('\\s*.%[-+]?\\s*macro\\s+\\w+\\s*[(]\\s*\\w+\\s*[,)]', macros[id].macro_sql) %}
    {% do (certain if modules.re.fullmatch('macro[.]\\w+[.]' ~ kinds ~ '__[0-9]+(?:_[0-9]+)*__[A-Za-z0-9]\\w*', id) else alike).append(id) %}
  {% endfor %}
  {% do return({'certain': certain, 'alike': alike}) %}
{% endmacro %}


{# All migrations of the project and its packages: {'all': list of dicts in the order in which they are applied, 'problems': list
   of texts}. id: what identifies one. quiet: do not warn of macros that only look like one. #}
{% macro _find_migrations(quiet=false) %}
  {% set ids, macros, found, rollbacks, problems = dbt_selfheal_database._migration_ids(), dbt_selfheal._manifest().macros, {}, {}, [] %}
  {% for id in (ids.alike if not quiet else []) %}
    {% do exceptions.warn('dbt_selfheal: the macro ' ~ macros[id].name ~ ' (' ~ macros[id].original_file_path ~ ') looks like a migration and is none: its name is not of '
      ~ 'the form migration__<version>__<name>.\nIf it is to be one, rename it, for example to ' ~ ('rollback' if macros[id].name.startswith('rollback') else 'migration')
      ~ '__0001__create_tenants: two underscores around the version, which is a number.') %}
  {% endfor %}
  {% for id in ids.certain %}
    {% set macro = macros[id] %}
    {% set kind, version, slug = macro.name.split('__', 2) %}
    {% set migration = {
      'id': dbt_selfheal_database._migration_id(macro.package_name, version), 'package': macro.package_name, 'version': version, 'slug': slug, 'macro': macro.name,
      'order': dbt_selfheal_database._migration_order(macro.package_name, version), 'checksum': local_md5(macro.macro_sql.replace('\r\n', '\n').strip()),
      'path': macro.original_file_path, 'rollback': none, 'rollback_transaction': true,
      'transaction': dbt_selfheal_database._traits().transactional_ddl and not modules.re.search('dbt_selfheal:\\s*no transaction', macro.macro_sql)} %}
    {% do (found if kind == 'migration' else rollbacks).setdefault(migration.id, []).append(migration) %}
  {% endfor %}
  {% set all = [] %}
  {% for id, migrations in found.items() %}
    {% set migration, twins = migrations[0], [] %}
    {% for twin in migrations %}{% do twins.append('  ' ~ twin.macro ~ ' (' ~ twin.path ~ ')') %}{% endfor %}
    {% if twins | length > 1 %}
      {% do problems.append('the version ' ~ migration.version ~ ' is used by ' ~ twins | length ~ ' migrations:\n' ~ twins | join('\n')
        ~ '\nGive the newer one a version of its own (two branches were probably merged).') %}
    {% endif %}
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
