"""What an initialization is made of: states, steps, required tables and the result."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator, model_validator


class InitializationState(str, Enum):
    """State of a workspace; derived from the database, never stored."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"

    def can_become(self, other: InitializationState) -> bool:
        """Returns whether the transition to another state is possible."""
        return other in _TRANSITIONS[self]


_TRANSITIONS = {
    InitializationState.NOT_STARTED: {InitializationState.IN_PROGRESS},
    InitializationState.IN_PROGRESS: {InitializationState.COMPLETED, InitializationState.FAILED},
    InitializationState.FAILED: {InitializationState.IN_PROGRESS},
    InitializationState.INCOMPLETE: {InitializationState.IN_PROGRESS},
    InitializationState.COMPLETED: {InitializationState.NOT_STARTED, InitializationState.INCOMPLETE},
}


class TableTier(str, Enum):
    """Tier of a table: seeds are built before all others."""

    SEED = "seed"
    FOUNDATION = "foundation"


class RequiredTable(BaseModel):
    """A table that must exist; immutable. Its name is a SQL identifier that needs no quotes."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Table name in the database", min_length=1)
    tier: TableTier = Field(description="Initialization tier")
    dbt_selector: str = Field(description="dbt selector that builds the table", min_length=1)

    @field_validator("name")
    @classmethod
    def _name_is_an_identifier(cls, value: str) -> str:
        if not value.isidentifier():
            raise ValueError("not a SQL identifier: letters, digits and underscores, and no digit first")
        return value

    @classmethod
    def of_database(cls, name: str, tier: str) -> RequiredTable:
        """Returns a table as it is in a project, whose name may be one that needs quotes."""
        return cls.model_construct(name=name, tier=TableTier(tier), dbt_selector=name)

    @field_validator("dbt_selector")
    @classmethod
    def _selector_has_a_name(cls, value: str) -> str:
        if not value.strip() or any(not part.strip("+@") for part in value.replace(",", " ").split()):
            raise ValueError("not a dbt selector")
        return value


STEP_NAMES = {
    "preflight": "Checking project, profile, disk and database file",
    "acquire_lock": "Waiting for other initializations",
    "run_migrations": "Running migrations",
    "check_tables": "Checking database tables",
    "load_seeds": "Loading seed data",
    "build_foundation": "Building foundation models",
    "load_initial_data": "Loading initial data",
    "validate_schema": "Comparing tables with what the project declares",
    "repair_schema": "Adding missing columns and indexes",
    "verify": "Verifying initialization",
}


class InitializationStep(BaseModel):
    """One step of an initialization: when it began and ended, and whether it succeeded."""

    name: str = Field(description="Step identifier")
    display_name: str = Field(description="Human-readable step name")
    started_at: datetime | None = Field(None, description="When the step started")
    completed_at: datetime | None = Field(None, description="When the step completed")
    success: bool | None = Field(None, description="Whether the step succeeded")
    error_message: str | None = Field(None, description="Error details if it failed")

    @model_validator(mode="after")
    def _times_and_success_agree(self) -> InitializationStep:
        if self.completed_at is not None:
            if self.started_at is None or self.completed_at < self.started_at:
                raise ValueError("started_at must be set, and not after completed_at")
            if self.success is None:
                raise ValueError("success must be set when completed_at is set")
            if self.success is False and not self.error_message:
                raise ValueError("error_message must be set when success is false")
        elif self.success is not None:
            raise ValueError("completed_at must be set when success is set")
        return self

    @property
    def duration_seconds(self) -> float | None:
        """The time the step took, in seconds; None while it is not complete."""
        if self.started_at is None or self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()

    @property
    def status(self) -> str:
        """`pending`, `running`, `completed` or `failed`."""
        if self.completed_at is None:
            return "pending" if self.started_at is None else "running"
        return "completed" if self.success else "failed"

    @classmethod
    def named(cls, name: str, **values: Any) -> InitializationStep:
        """Returns a step with the display name that belongs to its name."""
        return cls(name=name, display_name=STEP_NAMES.get(name, name.replace("_", " ")), **values)


# What every initialization does; others come before and between as the project needs them.
INITIALIZATION_STEPS = [
    InitializationStep.named(name) for name in ("check_tables", "load_seeds", "build_foundation", "verify")
]


class InitializationResult(BaseModel):
    """The result of one attempt."""

    state: InitializationState = Field(description="The state at its end")
    started_at: datetime = Field(description="When it began")
    completed_at: datetime | None = Field(None, description="When it ended")
    steps: list[InitializationStep] = Field(description="Its steps, in their order")
    missing_tables_found: list[str] = Field(default_factory=list, description="Names of what was missing")
    tables_created: list[str] = Field(default_factory=list, description="Names of what was built")
    error: str | None = Field(None, description="Why it failed")
    warnings: list[str] = Field(default_factory=list, description="What needs attention and stopped nothing")
    database_type: str = Field("", description="dbt's name of the adapter, such as `postgres`")
    way: str = Field(
        "none", description="How it was answered: warm, hook, native or none (nothing was missing)"
    )

    @model_validator(mode="after")
    def _times_agree(self) -> InitializationResult:
        if self.completed_at is not None and self.completed_at < self.started_at:
            raise ValueError("completed_at must not be before started_at")
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def duration_seconds(self) -> float | None:
        """The time the attempt took, in seconds; None while it is not complete."""
        if self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def success(self) -> bool:
        """Whether all required tables exist."""
        return self.state is InitializationState.COMPLETED

    @computed_field  # type: ignore[prop-decorator]
    @property
    def steps_completed(self) -> list[str]:
        """The names of the steps that succeeded, in their order."""
        return [step.name for step in self.steps if step.success]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def errors(self) -> list[str]:
        """What failed; empty if nothing did."""
        return [self.error] if self.error is not None else []

    @computed_field  # type: ignore[prop-decorator]
    @property
    def duration(self) -> float:
        """The time the attempt took, in seconds; 0 while it is not complete."""
        return self.duration_seconds or 0.0
