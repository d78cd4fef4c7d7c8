"""dbt itself: where it is, the Python that it runs in, and its own options and commands."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dbt_selfheal.errors import ConfigurationError

HEALING = frozenset({"build", "run", "seed", "snapshot", "test", "retry", "clone", "run-operation"})
_PROGRAMS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ")  # of Linux, macOS, Windows
_PYTHON = re.compile(
    r"^#!\s*(?P<plain>\S*python[^\s]*)"
    r"|'''exec'\s+(?P<quote>[\"']?)(?P<long>.+?python[^\"'\s]*)(?P=quote)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Options:
    """What the command line or the API was given of dbt's own options; None where nothing was given."""

    project_dir: str | None = None
    profiles_dir: str | None = None
    profile: str | None = None
    target: str | None = None
    target_path: str | None = None
    vars: str | None = None

    @classmethod
    def given(
        cls,
        project_dir: str | Path,
        profiles_dir: str | Path | None,
        profile: str | None,
        target: str | None,
        vars: Mapping[str, Any] | None,  # noqa: A002 (dbt's name)
    ) -> Options:
        """Returns the options for the arguments of the Python API."""
        return cls(
            project_dir=str(Path(project_dir).resolve()),
            profiles_dir=str(Path(profiles_dir).resolve()) if profiles_dir is not None else None,
            profile=profile,
            target=target,
            vars=json.dumps(dict(vars)) if vars else None,
        )

    def arguments(self) -> list[str]:
        """Returns them as arguments of dbt."""
        pairs = {
            "--project-dir": self.project_dir,
            "--profiles-dir": self.profiles_dir,
            "--profile": self.profile,
            "--target": self.target,
            "--target-path": self.target_path,
            "--vars": self.vars,
        }
        return [text for key, value in pairs.items() if value is not None for text in (key, value)]


@dataclass(frozen=True)
class Dbt:
    """An installation of dbt.

    Args:
        python: The Python that it runs in; for dbt v2, which is one program, the one of this command.
        paths: Where its distributions are.
        program: The program of dbt v2; None for dbt v1.
    """

    python: str
    paths: tuple[str, ...]
    program: str | None = None

    def version_of(self, distribution: str) -> str | None:
        """Returns the version of a distribution beside dbt, or None if it is not there."""
        from importlib import metadata

        if self.program is not None:
            return _version_of(self.program) if distribution == "dbt-core" else None

        for found in metadata.distributions(name=distribution, path=list(self.paths)):
            return found.version
        return None

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version of dbt-core; (0, 0) when it cannot be told."""
        version = self.version_of("dbt-core")
        major, minor = version.split(".")[:2] if version else ("0", "0")
        return int(major), int(minor)


def find_dbt(command: str | None = None) -> Dbt:
    """Returns the dbt of DBT_SELFHEAL_DBT, else the one beside this command, else the one on the PATH.

    Args:
        command: The command of a dbt that will be run in any case: it is that one, if its Python can be told.

    Raises:
        ConfigurationError: There is none, or it is a version that is not supported.
    """
    dbt = locate_dbt(command)
    _check_version(dbt)
    return dbt


def locate_dbt(command: str | None = None) -> Dbt:
    """Returns the same without a look at the version of dbt v1, which takes time; raises if there is none."""
    beside = Path(sys.executable).with_name("dbt")
    given = os.environ.get("DBT_SELFHEAL_DBT")
    named = None
    if command is not None and not given:
        with suppress(ConfigurationError):  # a shim: most likely it starts the dbt beside this command
            named = _dbt_of(command)
    if given:
        dbt = _dbt_of(given)
    elif named is not None:
        dbt = named
    elif _version_of(str(beside)) is not None:
        dbt = Dbt(sys.executable, (), str(beside))
    elif beside.exists():
        dbt = Dbt(sys.executable, tuple(path for path in sys.path if path.endswith("-packages")))
    else:
        import shutil

        command = shutil.which("dbt")
        if command is None:
            raise ConfigurationError(
                "dbt is not installed: there is no command dbt on the PATH",
                code="selfheal-dbt-missing",
                remedy="Install it with its adapter, for example: pip install dbt-core dbt-duckdb",
            )
        dbt = _dbt_of(command)
    return dbt


@lru_cache
def _version_of(command: str) -> str | None:
    """Returns the version of dbt v2, such as `2.0.0-alpha.4`; None if a command is no program of its kind."""
    import subprocess

    try:
        with Path(command).open("rb") as file:
            if not file.read(4).startswith(_PROGRAMS):
                return None
        done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\bdbt(?:-\w+)? v?(\d+\.\d+\S*)", done.stdout)
    return found[1] if found else None


def _dbt_of(command: str) -> Dbt:
    """Returns the installation of a console script, or of the program of dbt v2."""
    if _version_of(command) is not None:
        return Dbt(sys.executable, (), command)
    try:
        with Path(command).open("rb") as file:
            found = _PYTHON.search(file.read(2000).decode("utf-8", "replace"))
    except OSError as error:
        raise ConfigurationError(
            f"{command} cannot be read: {error.strerror}",
            code="selfheal-dbt-missing",
            remedy="Correct DBT_SELFHEAL_DBT.",
        ) from None
    if found is None:
        raise ConfigurationError(
            f"{command} is not a dbt that dbt-selfheal knows",
            code="selfheal-dbt-version",
            remedy='Install dbt-core 1.8 to 1.12 (pip install "dbt-core>=1.8,<2"), or dbt v2.',
        )
    python = found["plain"] or found["long"]
    folders = Path(python).parent.parent.glob("lib/python*/site-packages")
    return Dbt(python, tuple(str(folder) for folder in folders))


def _check_version(dbt: Dbt) -> None:
    version = dbt.version_of("dbt-core")
    if version is None:
        return
    if not (1, 8) <= dbt.release < (3, 0) or (dbt.program is None and dbt.release >= (2, 0)):
        raise ConfigurationError(
            f"dbt-core {version} is not supported",
            code="selfheal-dbt-version",
            remedy='Install dbt-core 1.8 to 1.12 (pip install "dbt-core>=1.8,<2"), or dbt v2.',
        )


def subcommand(arguments: list[str]) -> str | None:
    """Returns the command in the arguments of dbt, such as `run`; None if there is none."""
    with_value = {
        "--project-dir", "--profiles-dir", "--profile", "--target", "-t", "--target-path", "--vars",
        "--log-path", "--log-level", "--log-format", "--log-level-file", "--log-format-file",
        "--printer-width", "--state", "--warn-error-options", "--log-file-max-bytes",
        "--indirect-selection", "--defer-state", "--threads", "--partial-parse-file-path", "-r",
        "--record-timing-info",
    }  # fmt: skip
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in with_value:
            skip = True
        elif not argument.startswith("-"):
            return argument
    return None


def option_of(arguments: list[str], *names: str) -> str | None:
    """Returns the value of an option in the arguments of dbt, in either spelling; None if it is not given."""
    value = None
    for index, argument in enumerate(arguments):
        for name in names:
            if argument == name and index + 1 < len(arguments):
                value = arguments[index + 1]
            elif name.startswith("--") and argument.startswith(f"{name}="):
                value = argument.partition("=")[2]
    return value


def heals(arguments: list[str]) -> bool:
    """Returns whether a dbt command with these arguments runs the hook that heals, or heals itself."""
    command = subcommand(arguments)
    if command == "run-operation":
        return "ensure_initialized" in arguments
    return command in HEALING and not {"--help", "-h", "--version"} & set(arguments)


def reads_of(arguments: list[str]) -> dict[str, Any] | None:
    """Returns what a command of dbt reads that runs no healing hook; None for another, or if it defers.

    Args:
        arguments: Those of dbt.

    Returns:
        `command` (show, compile, docs), `selection` (the arguments of dbt that select), `inline` (the SQL of
        --inline; None without), `catalog` (whether docs reads the catalog).
    """
    command = subcommand(arguments)
    generate = command == "docs" and "generate" in arguments
    nothing = {"--help", "-h", "--inline-direct"} & set(arguments)
    if nothing or not (command in ("show", "compile") or generate):
        return None
    deferred = (dbt_variable("DEFER") or "").lower() in ("1", "true", "t", "yes", "y", "on")
    if "--defer" in arguments or (deferred and "--no-defer" not in arguments):
        return None
    return {
        "command": command,
        "selection": _selection(arguments),
        "inline": option_of(arguments, "--inline"),
        "catalog": "--empty-catalog" not in arguments,
    }


def _selection(arguments: list[str]) -> list[str]:
    """Returns the options of dbt that select, each with its values, as dbt ls takes them."""
    short = {"-s": "--select", "-m": "--select", "--models": "--select", "--model": "--select"}
    found, taking = [], False
    for argument in arguments:
        if argument.startswith("-"):
            name, equals, value = argument.partition("=")
            name = short.get(name, name)
            taking = name in ("--select", "--exclude", "--selector", "--state")
            if taking:
                found += [name, *([value] if equals else [])]
        elif taking:
            found.append(argument)
    return found


def options_of(arguments: list[str], given: Options) -> Options:
    """Returns dbt's options: those in the arguments of a dbt command, else those given to the wrapper."""
    return Options(
        project_dir=option_of(arguments, "--project-dir") or given.project_dir,
        profiles_dir=option_of(arguments, "--profiles-dir") or given.profiles_dir,
        profile=option_of(arguments, "--profile") or given.profile,
        target=option_of(arguments, "--target", "-t") or given.target,
        target_path=option_of(arguments, "--target-path") or given.target_path,
        vars=option_of(arguments, "--vars") or given.vars,
    )


def dbt_variable(name: str) -> str | None:
    """Returns the environment variable for an option of dbt, such as TARGET; None if it is not set.

    From version 1.11 on dbt v1 prefers DBT_ENGINE_TARGET to DBT_TARGET, which all versions read.
    """
    engine = os.environ.get(f"DBT_ENGINE_{name}")
    if engine and (1, 11) <= find_dbt().release < (2, 0):
        return engine
    return os.environ.get(f"DBT_{name}")
