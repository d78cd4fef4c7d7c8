"""What the operations on an application's database return, with the fields that applications were given."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Severity = Literal["info", "warning", "error", "critical"]


class ValidationResult(BaseModel):
    """How what is there differs from what should be."""

    valid: bool = Field(
        description="Whether it can be used: nothing of the severity error or worse was found"
    )
    issues: list[str] = Field(description="What is not in order, the worst first")
    suggestions: list[str] = Field(description="What to do about it; each once")
    severity: Severity = Field(description="The worst severity found; info when nothing was")


class RepairResult(BaseModel):
    """What a repair has done, and what it has left."""

    success: bool = Field(description="Whether nothing is left that a repair could or should have settled")
    repairs: list[str] = Field(description="What was done; empty when nothing was needed")
    issues: list[str] = Field(description="What is left, since settling it would touch data")
    suggestions: list[str] = Field(description="What to do about what is left")
    errors: list[str] = Field(default_factory=list, description="Why it failed; empty if it did not")


class MigrationResult(BaseModel):
    """What became of the pending migrations."""

    success: bool
    migrations_applied: list[str] = Field(description="The names of their macros, in the order applied")
    failed_migration: str | None = Field(default=None, description="The one that failed")
    error_message: str | None = Field(default=None, description="Why it failed")
    rollback_performed: bool = Field(default=False, description="Whether nothing of the failed one remains")


class SeedingResult(BaseModel):
    """What became of the initial data."""

    success: bool = Field(description="Whether all declared rows are there now")
    records_created: dict[str, int] = Field(description="Rows inserted, by table")
    records_skipped: dict[str, int] = Field(description="Rows that were there before, by table")
    errors: list[str] = Field(description="Rows that are not there, and what they wait for")
