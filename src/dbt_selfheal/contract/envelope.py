"""The envelope that every document has, whatever the command, for success and error."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field

Result = TypeVar("Result")


class ErrorReport(BaseModel):
    """What went wrong, and what to do."""

    code: str = Field(description="The error's code, stable.")
    message: str = Field(description="What happened and where, for people; without credentials.")
    remedy: str | None = Field(description="What to do next.")


class Envelope(BaseModel, Generic[Result]):
    """The one JSON document that a command prints on standard output."""

    schema_version: Literal[1] = Field(
        description="Version of this contract. It is raised when a key goes or changes its meaning, "
        "not when one is added."
    )
    command: str = Field(description="The command, such as `migrate status`; empty for a wrong one.")
    success: bool = Field(description="Whether the exit code is 0.")
    exit_code: int = Field(description="The exit code, as in docs/cli.md.", ge=0)
    error: ErrorReport | None = Field(
        description="What went wrong; null when the command did its work, also when its answer is no "
        "(`status` with something missing)."
    )
    result: Result | None = Field(description="The command's own result; null when there is none.")
