"""Flask: the database is made ready when the application is made (needs the extra `flask`).

SelfHeal(app)                        # or SelfHeal().init_app(app)
$ flask selfheal status
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from flask import Blueprint, Flask, Response, current_app, jsonify
from flask.cli import AppGroup, FlaskGroup
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dbt_selfheal.database import DatabaseInitializer
from dbt_selfheal.errors import ConfigurationError, InitializationError
from dbt_selfheal.health.monitor import Monitor, is_fit, summary

if TYPE_CHECKING:
    from dbt_selfheal.models import InitializationResult

PREFIX = "SELFHEAL_"
NAME = "selfheal"


class Settings(BaseModel):
    """The configuration, each key in capitals behind SELFHEAL_; twelve are a DatabaseInitializer's."""

    model_config = ConfigDict(extra="forbid", strict=False)

    project_dir: str = "."
    profiles_dir: str | None = None
    profile: str | None = None
    target: str | None = None
    vars: dict[str, Any] | None = None
    select: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)
    selector: str | None = None
    timeout_seconds: float | None = Field(default=None, gt=0)
    lock_timeout_seconds: float | None = Field(default=None, ge=0)
    log_file: str | None = None
    verbose: bool = False
    initialize: bool = True
    health: bool = False
    health_prefix: str = ""
    health_seconds: float = Field(default=60.0, gt=0)


class SelfHeal:
    """Makes the database ready at start-up, never in a request; adds the commands `flask selfheal`.

    Of the workers of a server that start at once one does it, and the others wait for it. An application
    whose database cannot be made ready does not start: the error is logged with its remedy, and raised.

    Args:
        app: The application; None to call init_app later.

    Raises:
        ConfigurationError: A key SELFHEAL_... is misspelt, or its value is wrong.
        InitializationError: The database cannot be made ready; `remedy` says what to do.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Does it for an application; raises what the class says.

        Args:
            app: The application, with its configuration. What is made for it is `app.extensions["selfheal"]`.
        """
        settings = settings_of(app)
        initializer = DatabaseInitializer(
            **settings.model_dump(exclude={"initialize", "health", "health_prefix", "health_seconds"})
        )
        state = State(initializer, settings)
        app.extensions[NAME] = state
        app.cli.add_command(commands)
        if settings.initialize and not _is_another_command():
            state.initialize(app)
        if settings.health:
            app.register_blueprint(health_blueprint(), url_prefix=settings.health_prefix or None)


class State:
    """What belongs to one application.

    Attributes:
        initializer: The DatabaseInitializer.
        result: What was done at start-up; None if nothing was.
    """

    def __init__(self, initializer: DatabaseInitializer, settings: Settings) -> None:
        self.initializer = initializer
        self.settings = settings
        self.result: InitializationResult | None = None
        self.monitor = Monitor(initializer.health.generate_health_report, settings.health_seconds)

    def initialize(self, app: Flask) -> None:
        """Makes the database ready; raises InitializationError, and logs it, if it cannot."""
        try:
            self.result = self.initializer.initialize()
        except InitializationError as error:
            app.logger.error("The database is not ready: %s\n  What to do: %s", error, error.remedy)
            raise
        for warning in self.result.warnings:
            app.logger.warning("Database: %s", warning)
        seconds = f"{self.result.duration:.1f} s"
        app.logger.info("The database is ready after %s (%s)", seconds, self.result.way)


def settings_of(app: Flask) -> Settings:
    """Returns the configuration of an application; raises ConfigurationError if a key or value is wrong."""
    given = {key: value for key, value in app.config.items() if key.startswith(PREFIX)}
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise ConfigurationError(
                f"the configuration key {key} is not known",
                code="selfheal-setting-wrong",
                remedy=f"Did you mean {near}? All keys: {', '.join(known)}",
            )
    try:
        return Settings(**{key.removeprefix(PREFIX).lower(): value for key, value in given.items()})
    except ValidationError as error:
        first = error.errors()[0]
        key = PREFIX + str(first["loc"][0]).upper()
        raise ConfigurationError(
            f"the configuration key {key} is wrong: {first['msg']}",
            code="selfheal-setting-wrong",
            remedy=f"Correct {key} in the application's configuration.",
        ) from None


def _is_another_command() -> bool:
    """Returns whether the application is made for a command of `flask` that serves nothing."""
    context = click.get_current_context(silent=True)
    if context is None or not isinstance(context.find_root().command, FlaskGroup):
        return False
    return context.info_name != "run"


def _state() -> State:
    state: State = current_app.extensions[NAME]
    return state


def health_blueprint() -> Blueprint:
    """Returns `/health` (JSON; 200, or 503 if the database cannot be used) and `/metrics` (Prometheus).

    A report is made in the background when one is asked for and the last is older than
    SELFHEAL_HEALTH_SECONDS.
    """
    blueprint = Blueprint("selfheal_health", __name__)

    @blueprint.get("/health")
    def health() -> tuple[Response, int]:
        state = _state()
        report = state.monitor.report()
        if report["verdict"] == "unknown" and state.result is not None:  # as it was at start-up
            verdict = "healthy" if state.result.success and not state.result.warnings else "degraded"
            report = {**report, "verdict": verdict, "checked_at": state.result.completed_at}
        return jsonify(summary(report)), 200 if is_fit(report) else 503

    @blueprint.get("/metrics")
    def metrics() -> tuple[Response, int]:
        from dbt_selfheal.health.metrics import metrics

        report = _state().monitor.report()
        if report["verdict"] == "unknown":
            return Response("# the first report is being made\n", mimetype="text/plain"), 503
        return Response(metrics(report), mimetype="text/plain; version=0.0.4"), 200

    return blueprint


commands = AppGroup(
    NAME, help="The application's database: initialize, status, migrate, seed, repair, health."
)


def _command(name: str, text: str) -> Callable[[Callable[[DatabaseInitializer], Any]], None]:
    """Adds a command that prints what a call returns as JSON; an error is shown with its remedy."""

    def add(call: Callable[[DatabaseInitializer], Any]) -> None:
        @commands.command(name, help=text)
        def run() -> None:
            try:
                found = call(_state().initializer)
            except InitializationError as error:
                click.echo(f"Error: {error}\n  What to do: {error.remedy}", err=True)
                raise click.exceptions.Exit(error.exit_code) from None
            content = found.model_dump(mode="json") if isinstance(found, BaseModel) else found
            click.echo(json.dumps(content, indent=2, default=str))
            if content.get("success") is False or content.get("valid") is False:
                raise click.exceptions.Exit(1)

    return add


_command("initialize", "Make the database ready.")(lambda found: found.initialize())
_command("status", "Show what is there; change nothing.")(lambda found: found.get_initialization_status())
_command("validate", "Check all but the data; change nothing.")(lambda found: found.validate_setup())
_command("repair", "Make it ready, and add missing columns and indexes.")(
    lambda found: found.repair_if_needed()
)
_command("migrate", "Apply pending migrations.")(lambda found: found.migrations.run_migrations())
_command("seed", "Insert missing rows of initial data.")(lambda found: found.seeder.seed_initial_data())
_command("health", "Report the health, data tests included.")(
    lambda found: found.health.generate_health_report()
)
