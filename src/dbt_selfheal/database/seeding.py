"""Initial data: rows that must exist before anybody can work."""

from __future__ import annotations

from pathlib import Path

from dbt_selfheal.database.component import Component
from dbt_selfheal.database.results import SeedingResult
from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.report.recorder import Recorder, waiting_text

EXAMPLES = {
    "users": "{username: admin, password_hash: 'env:ADMIN_PASSWORD_HASH'}",
    "tenants": "{slug: system, name: System}",
}


class DataSeeder(Component):
    """Inserts the declared rows whose key is absent; a row that exists is never changed.

    Its arguments are a Component's.
    """

    def seed_initial_data(self) -> SeedingResult:
        """Inserts the missing rows of all tables that have initial data.

        Returns:
            The result. Without success some rows wait for environment variables, which `errors` names.

        Raises:
            InitializationError: It failed; `remedy` says what to do.
        """
        return seeding_result(self._operation("seed_initial_data", changes=True))

    def create_admin_user(self, table: str = "users") -> bool:
        """Inserts the declared rows of the table of users.

        Args:
            table: That table: a name, or schema.name.

        Returns:
            Whether a row was created; False where all were there before.

        Raises:
            ConfigurationError: None is declared, or one waits for an environment variable; `remedy` says how
                to declare it, or what to set.
            InitializationError: It failed in another way.
        """
        return self._create(table, "users")

    def create_system_tenants(self, table: str = "tenants") -> bool:
        """Inserts the declared rows of the table of tenants; returns and raises as create_admin_user does."""
        return self._create(table, "tenants")

    def validate_seed_data(self) -> bool:
        """Returns whether all declared rows of all tables are there; changes nothing.

        Raises:
            ConfigurationError: No initial data is declared; `remedy` says how to declare it.
            InitializationError: The database cannot be asked, or a table does not exist.
        """
        found = self._operation("seed_initial_data", {"dry_run": True})
        tables, later = found.named("initial_data_plan"), found.named("initial_data_postponed")
        if not tables and not later:
            raise self._undeclared("users", "users")
        return not later and not any(table["created"] or table["waiting"] for table in tables)

    def _create(self, table: str, kind: str) -> bool:
        found = self._operation("seed_initial_data", {"tables": [table]}, changes=True)
        loaded, later = found.named("initial_data_loaded"), found.named("initial_data_postponed")
        if later:
            raise ConfigurationError(
                f"the table {later[0]['table']} is not built yet",
                code="selfheal-initial-data-postponed",
                remedy="Build it first: SchemaManager.create_schema(), or DatabaseInitializer.initialize().",
            )
        if not loaded:
            raise self._undeclared(table, kind)
        waiting = [event for event in loaded if event["waiting"]]
        if waiting:
            variables = ", ".join(waiting[0]["variables"])
            raise ConfigurationError(
                waiting_text(waiting[0]),
                code="selfheal-initial-data-waiting",
                remedy=f"Set {variables}, and call it again. A password is never stored as it is: make its "
                "hash with `dbt-selfheal hash-password`.",
            )
        return any(event["created"] for event in loaded)

    def _undeclared(self, table: str, kind: str) -> ConfigurationError:
        return ConfigurationError(
            f"the project declares no initial data for the table {table}",
            code="selfheal-initial-data-undeclared",
            remedy=f"Declare it in {Path(self._request.options.project_dir or '.') / 'dbt_project.yml'}:\n"
            "    vars:\n"
            "      dbt_selfheal:\n"
            "        initial_data:\n"
            f"          - table: {table}\n"
            f"            key: [{'username' if kind == 'users' else 'slug'}]\n"
            "            rows:\n"
            f"              - {EXAMPLES[kind]}",
        )


def seeding_result(recorder: Recorder) -> SeedingResult:
    """Returns what became of the initial data in an attempt, by its events."""
    loaded = recorder.named("initial_data_loaded")
    errors = [waiting_text(event) for event in loaded if event["waiting"]]
    errors += [f"{event['table']}: {event['reason']}" for event in recorder.named("initial_data_postponed")]
    return SeedingResult(
        success=not errors,
        records_created={event["table"]: event["created"] for event in loaded},
        records_skipped={event["table"]: event["skipped"] for event in loaded},
        errors=errors,
    )
