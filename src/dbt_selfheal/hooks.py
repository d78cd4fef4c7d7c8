"""Hooks that an application runs before its simulation starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dbt_selfheal.errors import HookError


@dataclass(frozen=True)
class _Hook:
    priority: int
    name: str
    run: Callable[[], object]


class HookManager:
    """Keeps hooks and runs them in the order of their priorities."""

    def __init__(self) -> None:
        self._hooks: list[_Hook] = []

    def register_pre_simulation_hook(
        self, hook: Callable[[], object], *, name: str = "unnamed", priority: int = 0
    ) -> None:
        """Registers a hook to run before the simulation starts.

        Args:
            hook: What to call, such as `AutoInitializer(...).ensure_initialized`.
            name: Its name in error messages.
            priority: Lower runs earlier; equal priorities run in the order of registration.
        """
        self._hooks.append(_Hook(priority, name, hook))

    def run_pre_simulation_hooks(self) -> None:
        """Runs all hooks in order of priority (FR-006).

        Raises:
            HookError: A hook raised an error, kept as `original_error`; later hooks do not run.
        """
        for hook in sorted(self._hooks, key=lambda hook: hook.priority):
            try:
                hook.run()
            except Exception as error:
                raise HookError(hook.name, error) from error
