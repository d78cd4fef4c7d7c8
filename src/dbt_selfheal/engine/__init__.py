"""One attempt: its steps in order, and the dbt process that does the work."""
