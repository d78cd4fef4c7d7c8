"""Builds the relations that a dbt command reads but that do not exist.

dbt imports every top-level module whose name begins with `dbt_` when it starts, this one included.
Everything is therefore imported at its first use only.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, whose import takes longer than all else here
if TYPE_CHECKING:
    from typing import Any

    from dbt_selfheal.api import REQUIRED_TABLES as REQUIRED_TABLES
    from dbt_selfheal.api import AutoInitializer as AutoInitializer
    from dbt_selfheal.api import HookManager as HookManager
    from dbt_selfheal.api import TableExistenceChecker as TableExistenceChecker
    from dbt_selfheal.errors import AnotherProcessError as AnotherProcessError
    from dbt_selfheal.errors import ConcurrentInitializationError as ConcurrentInitializationError
    from dbt_selfheal.errors import ConfigurationError as ConfigurationError
    from dbt_selfheal.errors import DatabaseCorruptionError as DatabaseCorruptionError
    from dbt_selfheal.errors import DiskSpaceError as DiskSpaceError
    from dbt_selfheal.errors import HookError as HookError
    from dbt_selfheal.errors import InitializationError as InitializationError
    from dbt_selfheal.errors import InitializationTimeoutError as InitializationTimeoutError
    from dbt_selfheal.errors import SelfHealError as SelfHealError
    from dbt_selfheal.models import INITIALIZATION_STEPS as INITIALIZATION_STEPS
    from dbt_selfheal.models import InitializationResult as InitializationResult
    from dbt_selfheal.models import InitializationState as InitializationState
    from dbt_selfheal.models import InitializationStep as InitializationStep
    from dbt_selfheal.models import RequiredTable as RequiredTable
    from dbt_selfheal.models import TableTier as TableTier

__version__ = "0.2.0"

_EXPORTS = {
    "INITIALIZATION_STEPS": "models",
    "REQUIRED_TABLES": "api",
    "AnotherProcessError": "errors",
    "AutoInitializer": "api",
    "ConcurrentInitializationError": "errors",
    "ConfigurationError": "errors",
    "DatabaseCorruptionError": "errors",
    "DiskSpaceError": "errors",
    "HookError": "errors",
    "HookManager": "api",
    "InitializationError": "errors",
    "InitializationResult": "models",
    "InitializationState": "models",
    "InitializationStep": "models",
    "InitializationTimeoutError": "errors",
    "RequiredTable": "models",
    "SelfHealError": "errors",
    "TableExistenceChecker": "api",
    "TableTier": "models",
}

__all__ = [
    "INITIALIZATION_STEPS",
    "REQUIRED_TABLES",
    "AnotherProcessError",
    "AutoInitializer",
    "ConcurrentInitializationError",
    "ConfigurationError",
    "DatabaseCorruptionError",
    "DiskSpaceError",
    "HookError",
    "HookManager",
    "InitializationError",
    "InitializationResult",
    "InitializationState",
    "InitializationStep",
    "InitializationTimeoutError",
    "RequiredTable",
    "SelfHealError",
    "TableExistenceChecker",
    "TableTier",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Imports a public name at its first use; raises AttributeError for any other name."""
    if name == "database":
        return import_module("dbt_selfheal.database")
    if name in _EXPORTS:
        return getattr(import_module(f"dbt_selfheal.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Returns the public names."""
    return __all__
