"""What applications hear of an initialization: Python's logging, a command that is run when it fails."""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Listener = Callable[[Event], object]
ALERT_SECONDS = 30.0
logger = logging.getLogger("dbt_selfheal")
logger.addHandler(logging.NullHandler())  # a library is silent unless its application configures logging


def log_event(event: Event) -> None:
    """Logs an event; the record has its name as `event`, and all of it as `selfheal`.

    What failed is an error, what was done is info, and what began, or is only looked at, is debug.
    """
    name = str(event.get("event"))
    if event.get("success") is False or event.get("state") == "failed":
        level = logging.ERROR
    elif event.get("waiting"):
        level = logging.WARNING
    elif event.get("success") is True or name in ("initialization_complete", "initial_data_loaded"):
        level = logging.INFO
    else:
        level = logging.DEBUG
    if logger.isEnabledFor(level):
        logger.log(level, "%s", sentence(event), extra={"event": name, "selfheal": event})


def sentence(event: Event) -> str:
    """Returns an event in a line, such as `initialization_step_complete load_seeds in 0.2 s`."""
    keys = ("step_name", "unique_id", "name", "table", "state")
    what = next((str(event[key]) for key in keys if event.get(key)), "")
    seconds = event.get("duration_seconds")
    text = f"{event.get('event')} {what}".rstrip() + (f" in {seconds} s" if seconds is not None else "")
    from dbt_selfheal.report.attempts import in_a_line

    error = event.get("error") or event.get("error_message")
    return f"{text}: {in_a_line(str(error))}" if error else text


def calling(listener: Listener) -> Listener:
    """Returns a listener whose own errors are logged, and end nothing."""

    def call(event: Event) -> None:
        try:
            listener(dict(event))
        except Exception:
            logger.exception("the listener %r failed", listener)

    return call


def alert_command(command: str) -> Listener:
    """Returns a listener that runs a command with the event as JSON on its standard input.

    It has ALERT_SECONDS, and its output goes to standard error. That it fails is said there, and changes
    nothing else.

    Args:
        command: The command, with quotes as in a shell; it is started without one.

    Raises:
        ValueError: A quote is not closed, or it is empty.
    """
    words = shlex.split(command)
    if not words:
        raise ValueError("it is empty")

    def run(event: Event) -> None:
        try:
            done = subprocess.run(
                words,
                input=json.dumps(event, default=str),
                text=True,
                stdout=sys.stderr.fileno(),
                timeout=ALERT_SECONDS,
                check=False,
            )
            problem = f"ended with {done.returncode}" if done.returncode else ""
        except subprocess.TimeoutExpired:
            problem = f"was ended after {ALERT_SECONDS:g} s"
        except OSError as error:
            problem = f"could not be started: {error.strerror}"
        if problem:
            sys.stderr.write(f"Warning: the command of --on-failure ({words[0]}) {problem}\n")

    return run
