"""The whole: an application's database, made ready in one step, whatever state it is in."""

from __future__ import annotations

from typing import Any

from dbt_selfheal.database.component import Component, plain, raising
from dbt_selfheal.database.health import HealthValidator, validation_of_checks
from dbt_selfheal.database.migrations import MigrationRunner, migration_result
from dbt_selfheal.database.results import RepairResult, ValidationResult
from dbt_selfheal.database.schema import SchemaManager, repair_of
from dbt_selfheal.database.seeding import DataSeeder, seeding_result
from dbt_selfheal.engine.initialize import Initialization
from dbt_selfheal.engine.interface import not_built
from dbt_selfheal.errors import InitializationError
from dbt_selfheal.models import InitializationResult
from dbt_selfheal.report.recorder import name_of


class DatabaseInitializer(Component):
    """Makes a database ready for an application, and has its four components.

    Its arguments are a Component's.
    """

    @property
    def schema(self) -> SchemaManager:
        """The tables and views."""
        return self._component(SchemaManager)

    @property
    def migrations(self) -> MigrationRunner:
        """The migrations."""
        return self._component(MigrationRunner)

    @property
    def seeder(self) -> DataSeeder:
        """The initial data."""
        return self._component(DataSeeder)

    @property
    def health(self) -> HealthValidator:
        """The health."""
        return self._component(HealthValidator)

    def initialize(self) -> InitializationResult:
        """Makes the database ready: migrations, schema, seeds and models, initial data, in one dbt process.

        Pending migrations are applied, whatever the setting `migrations` says; tables that exist are compared
        with what the project declares, and a difference is a warning; what is missing is built; rows that
        are missing are inserted. Of several processes that start at once one does it, and the others wait.

        Returns:
            The result; its state is COMPLETED. (NOT_STARTED where the package is off in this target.)

        Raises:
            DatabaseConnectionError: The database cannot be reached, or refuses user or password.
            DatabasePermissionError: The user may not do what is needed.
            DatabaseCorruptionError: The database file is damaged.
            SchemaCreationError: A table, index or constraint cannot be made.
            MigrationError: A migration failed, or does not fit the database's history.
            ConcurrentInitializationError: Another initialization is running, for longer than is waited for.
            InitializationTimeoutError: It took longer than the limit.
            InitializationError: It failed in another way. The `result` of each of these errors is an
                InitializationResult, with what was done until then.
        """
        _, result = self._initialize(repair=False)
        return result

    def validate_setup(self) -> ValidationResult:
        """Says whether the application can use the database: every check of health but the data tests.

        Returns:
            The result; a database that cannot be reached is an issue of it.

        Raises:
            ConfigurationError: The dbt package dbt_selfheal_database is not installed.
        """
        from dbt_selfheal.health.report import report_of

        return validation_of_checks(report_of(self._attempt(), tests=False)["checks"])

    def repair_if_needed(self) -> RepairResult:
        """Does what initialize() does, and adds missing columns and indexes to tables that exist.

        Nothing that holds data is dropped, replaced or narrowed.

        Returns:
            The result; what is left says what to do.

        Raises:
            InitializationError: As of initialize(); its `result` is an InitializationResult.
        """
        attempt, _ = self._initialize(repair=True)
        recorder = attempt.recorder
        report = recorder.documents.get("schema_repair", {"actions": [], "left": [], "applied": False})
        # What was missing then has been built since.
        left = [issue for issue in report["left"] if issue["code"] != "missing_relation"]
        found = repair_of({**report, "left": left})
        migrated = [f"apply {name}" for name in migration_result(recorder).migrations_applied]
        built = [f"build {name_of(unique_id)}" for unique_id in recorder.built]
        seeding = seeding_result(recorder)
        rows = [
            f"insert {count} rows into {table}" for table, count in seeding.records_created.items() if count
        ]
        return found.model_copy(
            update={
                "repairs": [*migrated, *found.repairs, *built, *rows],
                "issues": [*found.issues, *(f"warning: {text}" for text in seeding.errors)],
                "success": found.success and seeding.success,
            }
        )

    def get_initialization_status(self) -> dict[str, Any]:
        """Returns the state of the database, without changing it.

        Returns:
            `state` (completed, in_progress, not_started, incomplete or failed), `required` (each relation,
            and whether it exists), `pending_migrations`, `last_attempt` and `lock_holder`.

        Raises:
            InitializationError: The database cannot be asked.
        """
        attempt = self._attempt()
        with raising(attempt):
            status: dict[str, Any] = attempt.status()
        return plain(status)

    def _initialize(self, *, repair: bool) -> tuple[Initialization, InitializationResult]:
        attempt = self._attempt_of(Initialization, builds=True)
        try:
            with raising(attempt):
                outcome = attempt.initialize(repair=repair)
                if outcome.state == "failed":
                    raise not_built(outcome.missing)
        except InitializationError as error:
            error.result = attempt.result(error).model_copy(update={"warnings": attempt.warnings()})
            raise
        return attempt, attempt.result().model_copy(update={"warnings": attempt.warnings()})
