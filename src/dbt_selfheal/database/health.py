"""Health: whether the database is fit for use, and what to do if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dbt_selfheal.database.component import Component, raising, validation_of
from dbt_selfheal.database.errors import DatabaseConnectionError, specific
from dbt_selfheal.database.results import Severity, ValidationResult
from dbt_selfheal.errors import DatabaseCorruptionError, InitializationError

DATA_CHECKS = ("initial_data", "row_counts", "data_tests")


class HealthValidator(Component):
    """Looks at the database and changes nothing. Its arguments are a Component's."""

    def validate_connectivity(self) -> bool:
        """Returns whether the database answers; False if it is out of reach, damaged, or refuses the user.

        Raises:
            InitializationError: It could not be asked for another reason, such as a wrong project.
        """
        attempt = self._attempt()
        try:
            attempt.operation("check_connection")
        except InitializationError as error:
            if isinstance(specific(error, attempt), (DatabaseConnectionError, DatabaseCorruptionError)):
                return False
            with raising(attempt):
                raise
        return True

    def validate_schema_integrity(self) -> ValidationResult:
        """Compares what exists with what the project declares, as SchemaManager.validate_schema does.

        Raises:
            InitializationError: The database cannot be asked.
        """
        return validation_of(
            self._operation("validate_schema", self._selected()).documents["schema_validation"]
        )

    def validate_data_integrity(self) -> ValidationResult:
        """Looks at the data: the project's data tests, the declared rows, and seeds against their files.

        Raises:
            InitializationError: The database cannot be asked.
        """
        report = self._report(tests=True)
        checks = [check for check in report["checks"] if check["name"] in DATA_CHECKS]
        return validation_of_checks(checks)

    def generate_health_report(self) -> dict[str, Any]:
        """Returns the whole report, as of `dbt-selfheal health --json`, data tests included.

        A database that cannot be reached is part of the report: its `verdict` is `broken`.

        Raises:
            ConfigurationError: The dbt package dbt_selfheal_database is not installed.
        """
        from dbt_selfheal.health.report import report_of

        return report_of(self._attempt())

    def _report(self, *, tests: bool) -> dict[str, Any]:
        """Returns the macros' report with the data tests; raises what keeps it from being made."""
        from dbt_selfheal.health.report import with_tests

        attempt = self._attempt()
        with raising(attempt):
            return with_tests(attempt.health(tests=tests), tests=tests)
        raise AssertionError("unreachable")


def validation_of_checks(checks: Sequence[Mapping[str, Any]]) -> ValidationResult:
    """Returns checks of a health report as a result."""
    bad = sorted((check for check in checks if check["what_to_do"]), key=lambda check: check["status"])
    severities: list[Severity] = ["critical" if check["status"] == "failed" else "warning" for check in bad]
    return ValidationResult(
        valid="critical" not in severities,
        issues=[
            f"{severity}: {check['name']}: {check['summary']}"
            for severity, check in zip(severities, bad, strict=True)
        ],
        suggestions=list(dict.fromkeys(str(check["what_to_do"]) for check in bad)),
        severity=severities[0] if severities else "info",
    )
