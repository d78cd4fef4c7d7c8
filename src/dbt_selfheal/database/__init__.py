"""An application's database from Python: schema, migrations, initial data and health.

A thin face of the dbt package dbt_selfheal_database: each call runs its macros. docs/python.md has examples.
"""

from __future__ import annotations

from dbt_selfheal.database.component import Component as Component
from dbt_selfheal.database.errors import ConstraintViolationError as ConstraintViolationError
from dbt_selfheal.database.errors import DatabaseAuthenticationError as DatabaseAuthenticationError
from dbt_selfheal.database.errors import DatabaseConnectionError as DatabaseConnectionError
from dbt_selfheal.database.errors import DatabasePermissionError as DatabasePermissionError
from dbt_selfheal.database.errors import DataMigrationError as DataMigrationError
from dbt_selfheal.database.errors import IndexCreationError as IndexCreationError
from dbt_selfheal.database.errors import MigrationCorruptionError as MigrationCorruptionError
from dbt_selfheal.database.errors import MigrationError as MigrationError
from dbt_selfheal.database.errors import SchemaCreationError as SchemaCreationError
from dbt_selfheal.database.errors import TableCreationError as TableCreationError
from dbt_selfheal.database.errors import VersionConflictError as VersionConflictError
from dbt_selfheal.database.health import HealthValidator as HealthValidator
from dbt_selfheal.database.initializer import DatabaseInitializer as DatabaseInitializer
from dbt_selfheal.database.migrations import MigrationRunner as MigrationRunner
from dbt_selfheal.database.results import MigrationResult as MigrationResult
from dbt_selfheal.database.results import RepairResult as RepairResult
from dbt_selfheal.database.results import SeedingResult as SeedingResult
from dbt_selfheal.database.results import ValidationResult as ValidationResult
from dbt_selfheal.database.schema import SchemaManager as SchemaManager
from dbt_selfheal.database.seeding import DataSeeder as DataSeeder
from dbt_selfheal.metadata.definition import SchemaDefinition as SchemaDefinition
from dbt_selfheal.models import InitializationResult as InitializationResult
