"""Values of dbt's YAML files, with the Jinja that dbt allows in them: env_var, var and its plain helpers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbt_selfheal.errors import ConfigurationError

_QUOTED = re.compile(r"'[^<'][^']+'")  # '<block end>' and the like are YAML's own words


def load_yaml(path: Path) -> dict[str, Any]:
    """Returns the content of a YAML file, which must be a mapping.

    Args:
        path: The file.

    Raises:
        ConfigurationError: It cannot be read, is no YAML, or is no mapping; the message names file and line.
    """
    import yaml

    try:
        with path.open("rb") as file:
            content = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", code="selfheal-file-unreadable"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        problem = _QUOTED.sub("'...'", problem)  # a value that begins with * or !, which may be a password
        raise ConfigurationError(
            f"{where} is not valid YAML: {problem}",
            code="selfheal-yaml-invalid",
            remedy=f"Correct it at {where}.",
        ) from None
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must be a mapping of keys to values", code="selfheal-yaml-invalid")
    return content


def render(value: Any, variables: Mapping[str, Any], where: str) -> Any:
    """Returns a value with the templates in it rendered, strings within lists and mappings included.

    Args:
        value: A value of a YAML file.
        variables: What `var` answers: the variables of `--vars`.
        where: File and key, for error messages.

    Raises:
        ConfigurationError: An environment variable or a variable is not set, or a template is wrong.
    """
    if isinstance(value, dict):
        return {key: render(item, variables, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [render(item, variables, where) for item in value]
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        return _render_text(value, variables, where)
    return value


def _render_text(text: str, variables: Mapping[str, Any], where: str) -> str:
    import jinja2

    used: list[str] = []

    def env_var(name: str, default: str | None = None) -> str:
        found = os.environ.get(name, default)
        if found is None:
            raise ConfigurationError(
                f"{where} needs the environment variable {name}, which is not set",
                code="selfheal-env-var-missing",
                remedy=f"Set it, for example with: export {name}=...",
            )
        used.append(str(found))
        return str(found)

    def var(name: str, default: Any = None) -> Any:
        if name not in variables and default is None:
            raise ConfigurationError(
                f"{where} needs the variable {name}, which is not given",
                code="selfheal-var-missing",
                remedy=f"Give it with --vars '{{{name}: ...}}'.",
            )
        return variables.get(name, default)

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 (no HTML)
    environment.filters.update(dict.fromkeys(("as_text", "as_native", "as_number", "as_bool"), lambda v: v))
    try:
        return environment.from_string(text).render(**_helpers(), env_var=env_var, var=var)
    except ConfigurationError:
        raise
    except Exception as error:  # what a template calls can raise anything
        reason = str(error)
        for secret in filter(None, used):  # what a template reads from the environment may be one
            reason = reason.replace(secret, "...")
        raise ConfigurationError(
            f"the template in {where} is wrong: {reason}",
            code="selfheal-template-wrong",
            remedy=f"Correct {where}.",
        ) from None


def _helpers() -> dict[str, Any]:
    """Returns what dbt has for templates in any of its files: https://docs.getdbt.com/reference/dbt-jinja-functions."""
    import datetime
    import hashlib
    import itertools
    import json
    from types import SimpleNamespace

    import yaml

    modules = {
        "datetime": datetime,
        "re": re,
        "itertools": itertools,
    }
    return {
        "modules": SimpleNamespace(**modules),
        "fromjson": json.loads,
        "tojson": json.dumps,
        "fromyaml": yaml.safe_load,
        "toyaml": yaml.safe_dump,
        "set": set,
        "zip": zip,
        "local_md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    }
