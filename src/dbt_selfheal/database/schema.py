"""The schema: what the project declares, against what the database has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbt_selfheal.database.component import Component, plain, raising, validation_of
from dbt_selfheal.database.results import RepairResult, ValidationResult
from dbt_selfheal.engine.attempt import required_relations
from dbt_selfheal.engine.initialize import issue_text
from dbt_selfheal.engine.interface import not_built


class SchemaManager(Component):
    """Makes and checks the tables and views that the project requires. Its arguments are a Component's."""

    def check_schema_exists(self) -> bool:
        """Returns whether every required table and view exists.

        Raises:
            InitializationError: The database cannot be asked, or an initialization is running.
        """
        attempt = self._attempt()
        with raising(attempt):
            return all(entry["exists"] for entry in required_relations(attempt))
        raise AssertionError("unreachable")

    def create_schema(self) -> bool:
        """Makes the required tables and views that are missing, with their indexes; what exists stays.

        Returns:
            Whether anything was made.

        Raises:
            TableCreationError: A table or view cannot be made.
            IndexCreationError: An index of one cannot be made.
            InitializationError: It failed in another way; `remedy` says what to do.
        """
        attempt = self._attempt(builds=True)
        with raising(attempt):
            outcome = attempt.ensure()
            if outcome.state == "failed":
                raise not_built(outcome.missing)
        return bool(outcome.created)

    def validate_schema(self) -> ValidationResult:
        """Compares columns, types, keys, indexes and kinds with what the project declares; changes nothing.

        Raises:
            InitializationError: The database cannot be asked.
        """
        return validation_of(
            self._operation("validate_schema", self._selected()).documents["schema_validation"]
        )

    def repair_schema(self) -> RepairResult:
        """Adds missing columns and indexes, and recreates missing views.

        Nothing that holds data is dropped, replaced or narrowed; what is left says how to settle it.

        Raises:
            IndexCreationError: An index cannot be made.
            InitializationError: It failed in another way.
        """
        found = self._operation("repair_schema", {"apply": True, **self._selected()}, changes=True)
        return repair_of(found.documents["schema_repair"])

    def get_schema_info(self) -> dict[str, Any]:
        """Returns what the database has of the required tables and views.

        Returns:
            `adapter`, `database`, `schema`, and `relations`: for each its `name`, `relation`, `exists`,
            `kind`, `columns` (`name`, `type`, `nullable`), `keys` (`type`, `columns`) and `indexes` (`name`,
            `columns`, `unique`).

        Raises:
            InitializationError: The database cannot be asked.
        """
        return plain(self._operation("schema_info", self._selected()).documents["schema_info"])


def repair_of(report: Mapping[str, Any]) -> RepairResult:
    """Returns a report of the macro repair_schema as a result."""
    done = report["actions"] if report["applied"] else []
    return RepairResult(
        success=not report["left"],
        repairs=[f"{each['action']} {each['relation']} {each['detail']}".rstrip() for each in done],
        issues=[f"{issue['severity']}: {issue_text(issue)}" for issue in report["left"]],
        suggestions=list(dict.fromkeys(issue["suggestion"] for issue in report["left"])),
    )
