"""What `--json` prints, as a contract: one envelope, one version, a model for the result of each command.

The commands print what the macros report; these models describe it. `scripts/write_schemas` makes
docs/schemas and the tables of docs/json.md from them.
"""

SCHEMA_VERSION = 1  # raised when a key goes or changes its meaning, not when one is added
