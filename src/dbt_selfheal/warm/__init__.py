"""An answer without dbt: from the database's catalog, when nothing has changed since the last one."""
