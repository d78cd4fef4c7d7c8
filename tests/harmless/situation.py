"""What a situation's folder says: the schema of situation.yml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FOLDER = Path(__file__).parent / "situations"
FILE = "situation.yml"
Adapter = Literal["duckdb", "postgres"]


class _Strict(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(_Strict):
    """One thing that happens: exactly one of its actions, and what goes with it.

    Attributes:
        dbt: A command line after `dbt`.
        code: The exit code of `dbt` without the package; where the package heals, only
            whether it is 0 counts.
        env: More environment variables for `dbt`.
        sql: Statements on the database, each committed.
        drop: Relations to drop, and what depends on them.
        write: Content by path in the project.
        remove: Paths in the project, files or folders.
        profile: What to change in the output of profiles.yml from here on.
        adapter: The step is for this adapter only.
    """

    dbt: str | None = None
    code: int = 0
    env: dict[str, str] = Field(default_factory=dict)
    sql: list[str] | None = None
    drop: list[str] | None = None
    write: dict[str, str] | None = None
    remove: list[str] | None = None
    profile: dict[str, Any] | None = None
    adapter: Adapter | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Step:
        actions = (self.dbt, self.sql, self.drop, self.write, self.remove, self.profile)
        if sum(action is not None for action in actions) != 1:
            raise ValueError("a step is exactly one of: dbt, sql, drop, write, remove, profile")
        return self


class Check(_Strict):
    """Rows that a query must return when all is done.

    Attributes:
        sql: The query.
        rows: Its rows, with values as YAML has them.
    """

    sql: str
    rows: list[list[Any]]


class Expectation(_Strict):
    """What must hold with the package. By default: all is the same as without it.

    Attributes:
        heals: The command works, and these relations exist as the reference has them, as everything else.
        stops: The command stops before its first node, as it fails without the package, and says these texts.
        warns: The command says these texts.
        may_build: Relations that may exist without being there without the package.
        apart: Relations whose rows are not compared.
        holds: Queries and their rows.
    """

    heals: list[str] = Field(default_factory=list)
    stops: list[str] = Field(default_factory=list)
    warns: list[str] = Field(default_factory=list)
    may_build: list[str] = Field(default_factory=list)
    apart: list[str] = Field(default_factory=list)
    holds: list[Check] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_outcome(self) -> Expectation:
        if self.heals and self.stops:
            raise ValueError("a situation either heals or stops")
        return self


class Situation(_Strict):
    """A situation: a small project, how it came to where it is, and what is run then.

    Attributes:
        point: The family that it belongs to.
        description: What a user has, and does.
        met: Where it was met.
        adapters: What it is run on.
        dbt: The versions of dbt-core that it is for, such as `>=1.9`.
        needs: What the database server must offer: `postgres_fdw`, or a distribution of the environment.
        profile: What to change in the output of profiles.yml.
        setup: What is done once, without the package.
        run: What is done with and without the package, and compared.
        warm: What is expected of `run` right after `setup`; null: it is not run there.
        cold: What is taken away for the cold state; null: there is none.
        expect: What is expected of `run` in the cold state.
        reference: What is run without the package in place of `run` to know how a healed relation must be.
    """

    name: str
    point: str
    description: str
    met: str
    adapters: list[Adapter] = Field(default=["duckdb", "postgres"])
    dbt: str = ""
    needs: list[str] = Field(default_factory=list)
    profile: dict[str, Any] = Field(default_factory=dict)
    setup: list[Step] = Field(default_factory=list)
    run: list[Step]
    warm: Expectation | None = Field(default_factory=Expectation)
    cold: list[Step] | None = None
    expect: Expectation = Field(default_factory=Expectation)
    reference: list[Step] | None = None

    @property
    def folder(self) -> Path:
        """Where the project's files are."""
        return FOLDER / self.name


def situations() -> Iterator[Situation]:
    """Reads the catalogue.

    Yields:
        The situations, sorted by name.

    Raises:
        ValueError: A situation.yml is not as it must be; the message names the file.
    """
    for path in sorted(FOLDER.glob(f"*/{FILE}")):
        try:
            content = yaml.safe_load(path.read_text())
            yield Situation(name=path.parent.name, **content)
        except (TypeError, ValidationError) as error:
            raise ValueError(f"{path}: {error}") from None
