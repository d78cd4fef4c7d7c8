"""What can go wrong with an application's database: each kind is a class, and each error says what to do.

InitializationError
+-- DatabaseConnectionError        the database cannot be reached, or is not there
|   +-- DatabaseAuthenticationError  it refuses user or password
+-- DatabasePermissionError        its user, or this one, may not do that
+-- SchemaCreationError
|   +-- TableCreationError         a table or view cannot be made
|   +-- IndexCreationError         an index cannot be made
|   +-- ConstraintViolationError   rows break a constraint, or a constraint cannot be made
+-- MigrationError                 a migration failed otherwise, or cannot be applied or taken back
    +-- MigrationCorruptionError   its file was changed or deleted after it was applied, or cannot be read
    +-- DataMigrationError         it cannot convert the data that is there
    +-- VersionConflictError       two have one version, or one is older than what is applied
"""

from __future__ import annotations

import re
from contextlib import suppress

from dbt_selfheal.engine.attempt import Attempt
from dbt_selfheal.errors import InitializationError
from dbt_selfheal.workspace.installation import macro_files
from dbt_selfheal.workspace.project import shown_path

# What an attempt reports before dbt has read the project.
BEFORE_DBT = {"initialization_step_started", "initialization_step_complete"}
MIGRATION = re.compile(rb"\{%-?\s*macro\s+(?:migration|rollback)__\d")


class DatabaseConnectionError(InitializationError):
    """The database cannot be reached, or does not exist."""


class DatabaseAuthenticationError(DatabaseConnectionError):
    """The database refuses user or password."""


class DatabasePermissionError(InitializationError):
    """The database's user, or the system's, may not do what is needed."""


class SchemaCreationError(InitializationError):
    """Something of the schema cannot be made."""


class TableCreationError(SchemaCreationError):
    """A table or view cannot be made."""


class IndexCreationError(SchemaCreationError):
    """An index cannot be made."""


class ConstraintViolationError(SchemaCreationError):
    """Rows break a constraint, or a constraint cannot be made because of them."""


class MigrationError(InitializationError):
    """A migration failed, or migrations cannot be applied or taken back as they are."""


class MigrationCorruptionError(MigrationError):
    """A migration was changed or deleted after it was applied, or its file cannot be read."""


class DataMigrationError(MigrationError):
    """A migration cannot convert the data that is in the database; it is as it was before."""


class VersionConflictError(MigrationError):
    """Two migrations have one version, or one that is pending is older than one that is applied."""


_BY_CODE: dict[str, type[InitializationError]] = {
    "selfheal-connection-refused": DatabaseConnectionError,
    "selfheal-database-missing": DatabaseConnectionError,
    "selfheal-authentication": DatabaseAuthenticationError,
    "selfheal-permission": DatabasePermissionError,
    "selfheal-read-only": DatabasePermissionError,
    "selfheal-schema-missing": SchemaCreationError,
    "selfheal-unique-violated": ConstraintViolationError,
    "selfheal-not-null-violated": ConstraintViolationError,
    "selfheal-migration-constraint": ConstraintViolationError,
    "selfheal-migration-data": DataMigrationError,
}
_ABOUT_CONNECTION = (DatabaseConnectionError, DatabaseAuthenticationError, DatabasePermissionError)
_BY_STATEMENT: dict[str, type[InitializationError]] = {  # what the statement that failed was to make
    "index": IndexCreationError,
    "table": TableCreationError,
    "constraint": ConstraintViolationError,
    "data": DataMigrationError,
}


def specific(error: InitializationError, attempt: Attempt) -> InitializationError:
    """Returns an error of the class that says what went wrong; the same error where it has one already.

    Args:
        error: What an attempt has raised.
        attempt: That attempt, which knows what was being done.
    """
    if error.code == "selfheal-unknown" and (unreadable := _unreadable_migration(attempt)) is not None:
        return unreadable
    kind = _class_of(error, attempt)
    if kind is None or type(error) is not InitializationError:
        return error
    return kind(
        error.message,
        step=error.step,
        missing_tables=error.missing_tables,
        original_error=error.original_error,
        remedy=error.remedy,
        code=error.code,
    )


def _class_of(error: InitializationError, attempt: Attempt) -> type[InitializationError] | None:
    """Returns the class of an error: what the database says of itself, else what was being done."""
    recorder, code = attempt.recorder, error.code or ""
    if _BY_CODE.get(code) in _ABOUT_CONNECTION:
        return _BY_CODE[code]
    if code == "selfheal-migrations-blocked":
        return _class_of_blocked(attempt)
    statements = recorder.named("migration_statement")
    if recorder.migration is not None:
        made = statements[-1]["kind"] if statements else ""
        if made in ("index", "table"):  # an index over rows that are there twice, too
            return _BY_STATEMENT[made]
        return _BY_CODE.get(code) or _BY_STATEMENT.get(made, MigrationError)
    repair = recorder.documents.get("schema_repair_started")
    if repair is not None and error.step == "repair_schema":
        return IndexCreationError if repair["action"] == "create index" else TableCreationError
    if error.step in ("load_seeds", "build_foundation"):
        if re.search("create (unique )?index", error.message):
            return IndexCreationError
        return _BY_CODE.get(code, TableCreationError)
    return _BY_CODE.get(code)


def _class_of_blocked(attempt: Attempt) -> type[InitializationError]:
    """Returns why migrations cannot be applied, by the status that goes before the error."""
    status = attempt.recorder.named("migration_status")
    if not status:
        return MigrationError
    states = {migration["state"] for migration in status[-1]["migrations"]}
    if states & {"changed", "gone"}:
        return MigrationCorruptionError
    return MigrationError if "interrupted" in states else VersionConflictError


def _unreadable_migration(attempt: Attempt) -> MigrationCorruptionError | None:
    """Returns the error of a file of migrations whose Jinja is broken: dbt names neither file nor line."""
    if attempt.workspace is None or attempt.recorder.documents.keys() - BEFORE_DBT:
        return None
    from jinja2 import Environment, TemplateSyntaxError

    reader = Environment(extensions=["jinja2.ext.do"], autoescape=True)
    for file in macro_files(attempt.workspace):
        with suppress(OSError):
            content = file.read_bytes()
            if not MIGRATION.search(content):
                continue
            try:
                reader.parse(content.decode("utf-8", "replace"))
            except TemplateSyntaxError as broken:
                return MigrationCorruptionError(
                    f"the file of migrations {shown_path(file)} cannot be read: "
                    f"line {broken.lineno}: {broken.message}",
                    original_error=broken,
                    code="selfheal-migration-unreadable",
                    remedy=f"Correct it at that line, or restore it: git checkout -- {shown_path(file)}",
                )
    return None
