"""Migrations: what is pending, applied and taken back."""

from __future__ import annotations

from typing import Any

from dbt_selfheal.database.component import Component, plain, raising
from dbt_selfheal.database.results import MigrationResult
from dbt_selfheal.errors import InitializationError
from dbt_selfheal.report.recorder import Recorder


class MigrationRunner(Component):
    """Applies the project's migrations, each once and in order. Its arguments are a Component's.

    A migration is named by its macro, such as `migration__0001__create_users`.
    """

    def check_pending_migrations(self) -> list[str]:
        """Returns the names of the migrations that are not applied, in their order.

        Raises:
            InitializationError: The database cannot be asked.
        """
        status = self._operation("migration_status").named("migration_status")[-1]
        return [each["name"] for each in status["migrations"] if each["state"] == "pending"]

    def run_migrations(self) -> MigrationResult:
        """Applies the pending migrations, each in a transaction of its own where the database can.

        Returns:
            The result, with what was applied.

        Raises:
            MigrationCorruptionError: One was changed or deleted after it was applied, or cannot be read.
            VersionConflictError: Two have one version, or one is older than what is applied.
            DataMigrationError: One cannot convert the data that is there.
            SchemaCreationError: One cannot make a table, an index or a constraint; the class says which.
            InitializationError: It failed in another way. The `result` of each of these errors is a
                MigrationResult, with what was applied before.
        """
        attempt = self._attempt()
        try:
            with raising(attempt):
                attempt.operation("run_migrations", changes=True)
        except InitializationError as error:
            error.result = migration_result(attempt.recorder, error)
            raise
        return migration_result(attempt.recorder)

    def rollback_migration(self, migration_id: str) -> bool:
        """Takes the newest migration back with its `rollback__` macro.

        Args:
            migration_id: Which one that is: its macro's name or its version. Another is refused: nothing is
                taken back that was not named.

        Returns:
            Whether it was taken back; False only where the package is off.

        Raises:
            MigrationError: It is not the newest, not applied, or has no rollback; nothing was done.
            InitializationError: The rollback failed.
        """
        found = self._operation("rollback_migration", {"newest": str(migration_id)}, changes=True)
        return bool(found.named("migration_rolled_back"))

    def get_migration_history(self) -> list[dict[str, Any]]:
        """Returns every attempt to apply a migration, the oldest first.

        Each has `package`, `version`, `name`, `checksum`, `action`, `applied_by`, `host`, `started_at`,
        `completed_at` (UTC, ISO 8601), `duration_seconds`, `success` and `rolled_back_at`.

        Raises:
            InitializationError: The database cannot be asked.
        """
        rows = self._operation("migration_history").named("migration_history")[-1]["history"]
        return [plain(row) for row in rows]


def migration_result(recorder: Recorder, error: InitializationError | None = None) -> MigrationResult:
    """Returns what became of the migrations of an attempt, by its events."""
    failed = recorder.migration if error is not None else None
    return MigrationResult(
        success=error is None,
        migrations_applied=[event["name"] for event in recorder.named("migration_complete")],
        failed_migration=failed["name"] if failed is not None else None,
        error_message=str(error) if error is not None else None,
        rollback_performed=bool(failed is not None and failed.get("transaction")),
    )
