"""The results of the commands of the second package: migrations, initial data, schema, health."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from dbt_selfheal.contract.healing import ResourceType, Tier

MigrationState = Literal["applied", "pending", "interrupted", "changed", "gone"]
Severity = Literal["critical", "error", "warning", "info"]


class MigrationAttempt(BaseModel):
    """A row of the history of migrations."""

    id: str = Field(description="Package and version, as one key.")
    package: str = Field(description="The dbt package that has the migration.")
    version: str = Field(description="Its version.")
    slug: str = Field(description="The rest of its name.")
    attempt: int = Field(description="The number of the attempt, from 1.")
    name: str = Field(description="The macro.")
    checksum: str | None = Field(description="The checksum of its code then.")
    action: str = Field(description="`run`, `rollback`, `baseline`, `mark_applied` or `mark_failed`.")
    applied_by: str | None = Field(description="Who.")
    host: str | None = Field(description="On which machine.")
    started_at: str = Field(description="When it began: ISO 8601, UTC.")
    completed_at: str | None = Field(description="When it ended; null while it is not finished.")
    duration_seconds: float | None = Field(description="The time it took, in seconds.")
    statements_done: int = Field(description="How many of its statements were done.")
    statements_total: int = Field(description="How many it has.")
    success: bool | None = Field(description="Whether it succeeded; null while it is not finished.")
    rolled_back_at: str | None = Field(description="When it was rolled back.")


class Migration(BaseModel):
    """A migration and its state."""

    package: str = Field(description="The dbt package that has it.")
    version: str = Field(description="Its version.")
    name: str = Field(description="Its macro.")
    path: str | None = Field(description="Its file; null when the project no longer has it.")
    state: MigrationState = Field(description="Its state.")
    checksum: str | None = Field(description="The checksum of its code.")
    can_roll_back: bool = Field(description="Whether it has a rollback.")
    last_attempt: MigrationAttempt | None = Field(description="The last attempt; null when there was none.")


class MigrationStatus(BaseModel):
    """The state of all migrations."""

    state: Literal["up_to_date", "pending", "blocked"] = Field(description="The state of the whole.")
    counts: dict[MigrationState, int] = Field(description="How many there are in each state.")
    problems: list[str] = Field(description="What is wrong, and what to do.")
    migrations: list[Migration] = Field(description="The migrations, in their order.")


class MigrationsValid(MigrationStatus):
    """The state of all migrations, of which nothing is wrong."""

    valid: Literal[True] = Field(description="Always true: what is wrong is an error.")


class MigrationCreated(BaseModel):
    """The file that `migrate create` has written."""

    file: str | None = Field(description="The file; null when the database is as the models.")
    version: str | None = Field(description="Its version; null when there is no file.")
    statements: list[str] = Field(description="Its SQL statements; empty without --from.")
    drops: list[str] = Field(description="Which of them drop data.")
    notes: list[str] = Field(description="What was left alone, and what this database cannot do.")
    never_detected: list[str] = Field(description="What a comparison does not find; empty without --from.")


class MigrationSql(BaseModel):
    """What a migration would run."""

    package: str = Field(description="The dbt package that has it.")
    version: str = Field(description="Its version.")
    name: str = Field(description="Its macro.")
    statements: list[str] = Field(description="Its SQL statements.")


class MigrationApplied(BaseModel):
    """A migration that was applied."""

    package: str = Field(description="The dbt package that has it.")
    version: str = Field(description="Its version.")
    name: str = Field(description="Its macro.")
    checksum: str = Field(description="The checksum of its code.")
    statements: int = Field(description="How many statements it has run.")
    started_at: str = Field(description="When it began: ISO 8601, UTC.")
    completed_at: str = Field(description="When it ended: ISO 8601, UTC.")
    duration_seconds: float = Field(description="The time it took, in seconds.")
    success: Literal[True] = Field(description="Always true: a failure is an error.")


class MigrationRolledBack(BaseModel):
    """A migration that was rolled back."""

    package: str = Field(description="The dbt package that has it.")
    version: str = Field(description="Its version.")
    name: str = Field(description="Its macro.")
    statements: int = Field(description="How many statements the rollback has run.")
    started_at: str = Field(description="When it began: ISO 8601, UTC.")
    duration_seconds: float = Field(description="The time it took, in seconds.")
    success: Literal[True] = Field(description="Always true: a failure is an error.")


class MigrationsApplied(BaseModel):
    """What `migrate up` did, or with --dry-run would do."""

    dry_run: bool = Field(description="Whether nothing was done.")
    migrations: list[MigrationSql] = Field(description="With --dry-run: what would be applied.")
    applied: list[MigrationApplied] = Field(description="What was applied.")


class MigrationsRolledBack(BaseModel):
    """What `migrate down` did, or with --dry-run would do."""

    dry_run: bool = Field(description="Whether nothing was done.")
    migrations: list[MigrationSql] = Field(description="With --dry-run: what would be rolled back.")
    rolled_back: list[MigrationRolledBack] = Field(description="What was rolled back.")


class MigrationHistory(BaseModel):
    """Every attempt at a migration."""

    history: list[MigrationAttempt] = Field(description="The attempts, the oldest first.")


class Baselined(BaseModel):
    """What `migrate baseline` recorded."""

    version: str = Field(description="The version given.")
    migrations: list[str] = Field(description="The macros that were recorded as applied.")


class MigrationRepaired(BaseModel):
    """What `migrate repair` settled."""

    package: str = Field(description="The dbt package that has the migration.")
    version: str = Field(description="Its version.")
    name: str = Field(description="Its macro.")
    action: Literal["rerun", "mark_applied", "mark_failed"] = Field(description="What was done.")
    state_before: MigrationState = Field(description="The state that it had.")


class InitialDataTable(BaseModel):
    """A table of initial data."""

    table: str = Field(description="The table.")
    origin: str = Field(description="Where its rows are declared.")
    created: int = Field(description="Rows that were inserted; with --dry-run: would be.")
    waiting: int = Field(description="Rows that wait for an environment variable.")
    skipped: int = Field(description="Rows that were there before.")
    variables: list[str] = Field(description="The environment variables that are waited for.")


class InitialData(BaseModel):
    """What `initial-data` did."""

    tables: list[InitialDataTable] = Field(description="The tables.")


class SchemaIssue(BaseModel):
    """A difference between the database and what the project declares."""

    severity: Severity = Field(description="How serious it is.")
    code: str = Field(description="The kind of difference, such as `missing_column`.")
    unique_id: str = Field(description="dbt's unique id of the node.")
    name: str = Field(description="The node's name.")
    resource_type: ResourceType = Field(description="The kind of node.")
    relation: str = Field(description="Schema and name.")
    column: str | None = Field(description="The column; null when it is about the relation.")
    message: str = Field(description="What differs.")
    suggestion: str = Field(description="What to do.")
    data_type: str | None = Field(None, description="Of `missing_column`: the declared type.")
    quote: bool | None = Field(None, description="Of `missing_column`: whether its name is quoted.")
    repairable: bool | None = Field(None, description="Of `missing_column`: whether `repair` adds it.")
    index: dict[str, Any] | None = Field(None, description="Of `missing_index`: the index as declared.")


class SchemaValidation(BaseModel):
    """How the database differs from what the project declares."""

    valid: bool = Field(description="Whether nothing of the severity `error` or `critical` was found.")
    severity: Severity | None = Field(description="The worst severity found; null for none.")
    relations: int = Field(description="How many relations were compared.")
    counts: dict[Severity, int] = Field(description="How many differences of each severity there are.")
    issues: list[SchemaIssue] = Field(description="The differences, the worst first.")


class RepairAction(BaseModel):
    """Something that a repair adds."""

    action: Literal["add column", "create index", "create view"] = Field(description="What is added.")
    unique_id: str = Field(description="dbt's unique id of the node.")
    relation: str = Field(description="Schema and name.")
    detail: str = Field(description="Which column or index.")
    sql: str | None = Field(description="The statement; null for a view, which dbt builds.")


class SchemaRepair(BaseModel):
    """What `schema repair` did or would do."""

    actions: list[RepairAction] = Field(description="What was added; without --apply: would be.")
    left: list[SchemaIssue] = Field(description="What it cannot repair, each with what to do.")
    applied: bool = Field(description="Whether it was done.")
    enabled: bool = Field(description="Whether the package is on, by setting and in this target.")


class HealthCheck(BaseModel):
    """One check of the health."""

    name: str = Field(description="The check, as in docs/health.md.")
    status: Literal["ok", "warning", "failed", "skipped"] = Field(description="Its result.")
    summary: str = Field(description="What was found.")
    what_to_do: str | None = Field(description="What to do; null when nothing is wrong.")
    details: dict[str, Any] = Field(description="Figures of this check.")


class HealthRelation(BaseModel):
    """A required relation, and its state."""

    unique_id: str = Field(description="dbt's unique id of the node.")
    name: str = Field(description="The node's name.")
    resource_type: ResourceType = Field(description="The kind of node.")
    materialization: str = Field(description="dbt's materialization.")
    tier: Tier = Field(description="Seeds are built before all others.")
    relation: str = Field(description="Schema and name.")
    path: str = Field(description="The node's file.")
    state: Literal["present", "missing", "wrong_kind", "drifted"] = Field(description="Its state.")
    parents: list[str] = Field(description="Unique ids of the required nodes that it reads.")
    rows: int | None = Field(description="How many rows it has; null when they were not counted.")
    file_rows: int | None = Field(description="Of a seed: how many its file has.")


class TestResult(BaseModel):
    """The result of a data test."""

    __test__ = False  # pytest collects what is named so

    unique_id: str = Field(description="dbt's unique id of the test.")
    name: str = Field(description="Its name.")
    status: Literal["pass", "warn", "fail", "error", "skipped"] = Field(description="dbt's status.")
    message: str | None = Field(description="dbt's message.")
    failures: int | None = Field(description="How many rows failed.")
    seconds: float = Field(description="The time it took, in seconds.")
    relations: list[str] = Field(description="Unique ids of the nodes that it reads.")


class Health(BaseModel):
    """The health of the database."""

    verdict: Literal["healthy", "degraded", "broken"] = Field(description="The verdict.")
    checked_at: str = Field(description="When: ISO 8601, UTC.")
    version: str = Field(description="The version of dbt-selfheal.")
    project: str | None = Field(description="The dbt project.")
    target: str | None = Field(description="The target.")
    adapter: str | None = Field(description="The adapter.")
    # `schema` is a method of BaseModel
    schema_: str | None = Field(alias="schema", description="The target's schema.")
    history: bool = Field(description="Whether the attempts are from the history in the database.")
    checks: list[HealthCheck] = Field(description="The checks.")
    required: list[HealthRelation] = Field(description="The required relations.")
    issues: list[SchemaIssue] = Field(description="How the schema differs from what is declared.")
    data_tests: list[TestResult] = Field(description="The results of the data tests.")
    attempts: list[dict[str, Any]] = Field(description="The last attempts, the newest last.")
