"""The workspace, read and checked without dbt: project, profile, database file, dbt itself, the lock."""
