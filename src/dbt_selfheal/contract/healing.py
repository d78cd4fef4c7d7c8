"""The results of the commands that heal: `ensure`, `exec`, `plan`, `status`, `recreate`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

State = Literal["completed", "in_progress", "not_started", "incomplete", "failed"]
Tier = Literal["seed", "foundation"]
ResourceType = Literal["seed", "snapshot", "model", "function"]


class PlanStep(BaseModel):
    """A relation that is missing, and would be built."""

    unique_id: str = Field(description="dbt's unique id of the node.")
    name: str = Field(description="The node's name.")
    resource_type: ResourceType = Field(description="The kind of node.")
    tier: Tier = Field(description="Seeds are built before all others.")
    materialization: str = Field(description="dbt's materialization, such as `table`.")
    relation: str | None = Field(description="The relation's name as SQL has it.")
    path: str = Field(description="The node's file, relative to its project.")
    reason: str = Field(description="Why it is built.")
    required: bool = Field(description="Whether it is required itself, or only missing above what is.")
    refusal: str | None = Field(description="Why a hook cannot build it; null when it can.")
    held_up_by: list[str] = Field(description="Unique ids of the refused nodes that it is or needs.")
    parents: list[str] = Field(description="Unique ids of the nodes that it reads, through ephemeral models.")
    expected_seconds: float | None = Field(description="The time that it took in earlier runs, in seconds.")
    cloned_from: str | None = Field(description="What it is cloned from, with `on_missing: clone`.")


class MissingSource(BaseModel):
    """A source that is not in the database."""

    unique_id: str = Field(description="dbt's unique id of the source.")
    name: str = Field(description="The source's name and its table's.")
    relation: str | None = Field(description="Its relation as SQL has it.")
    read_by: str | None = Field(description="Unique id of the step that reads it; null: no step does.")
    stops: bool = Field(description="Whether it is certain that nothing can be built without it.")
    message: str = Field(description="What happened, where, and what to do.")


class Plan(BaseModel):
    """What is missing, and what would be built in which order."""

    state: State = Field(description="The state of what is required.")
    enabled: bool = Field(description="Whether healing is on, by setting and in this target.")
    required: dict[str, str] = Field(description="Each required node by its unique id, with the reason.")
    steps: list[PlanStep] = Field(description="What would be built, in this order.")
    present: list[str] = Field(description="Unique ids of the required nodes that exist; they stay.")
    postponed: list[str] = Field(description="Unique ids that are left to a later command.")
    missing_sources: list[MissingSource] = Field(
        description="Sources that are missing, those that stop first."
    )
    command: str | None = Field(description="The dbt command that builds the same; null for nothing.")
    way: Literal["hook", "native", "none"] = Field(
        description="How `ensure` would build it: in one dbt operation, with dbt's own nodes, or not at all."
    )
    way_reason: str = Field(description="Why in this way.")
    blocked: str | None = Field(description="Why `ensure` would build nothing; null when it would build.")


class RequiredRelation(BaseModel):
    """A required relation."""

    unique_id: str = Field(description="dbt's unique id of the node.")
    name: str = Field(description="The node's name.")
    resource_type: ResourceType = Field(description="The kind of node.")
    tier: Tier = Field(description="Seeds are built before all others.")
    relation: str | None = Field(description="The relation's name as SQL has it.")
    display_name: str = Field(description="Schema and name.")
    exists: bool = Field(description="Whether the database has it.")
    reason: str = Field(description="Why it is required.")


class LastAttempt(BaseModel):
    """The last attempt at an initialization."""

    state: Literal["completed", "warned", "failed"] = Field(
        description="How it ended; `warned`: something is missing, and `on_missing: warn` leaves it."
    )
    command: str | None = Field(description="What was called.")
    started_at: str = Field(description="When it began: ISO 8601, UTC.")
    completed_at: str = Field(description="When it ended: ISO 8601, UTC.")
    duration_seconds: float = Field(description="The time it took, in seconds.")
    step: str | None = Field(description="The step that failed.")
    error_code: str | None = Field(description="The code of its error, or of what it warned of.")
    error: str | None = Field(description="The message of its error, or what is missing.")


class Status(BaseModel):
    """Which required relations exist."""

    state: State = Field(description="The state, derived from the database.")
    required: list[RequiredRelation] = Field(description="The required relations.")
    lock_holder: str | None = Field(description="Who initializes at this moment; null when nobody does.")
    pending_migrations: list[str] = Field(default=[], description="The titles of the pending migrations.")
    last_attempt: LastAttempt | None = Field(None, description="The last attempt, if one is known.")


class Recreated(BaseModel):
    """What `recreate` did."""

    moved: list[str] = Field(description="The new paths of the files that were moved aside.")
