"""The suites of dbt-tests-adapter, each class once, as an adapter's own repository would subclass them."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

import dbt.tests.adapter as suites

from conformance.adapters import ADJUSTMENTS, LEFT_OUT

PREFIX = "dbt.tests.adapter."
ADAPTER = os.environ["CONFORMANCE_ADAPTER"]


def _left_out(name: str) -> bool:
    """Tells whether a module or class cannot run on this adapter."""
    return any(fnmatchcase(name, pattern) for pattern in LEFT_OUT[ADAPTER])


def _modules() -> Iterator[ModuleType]:
    """Yields the modules of the suites."""
    for root in map(Path, suites.__path__):  # most folders are no packages, so pkgutil does not see them
        for path in sorted(root.rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            if path.stem != "__init__" and not _left_out(name):
                yield importlib.import_module(PREFIX + name)


def _classes() -> Iterator[tuple[str, type]]:
    """Yields name and class of every class that has tests and adds something to the class above it."""
    for module in _modules():
        for name, member in sorted(vars(module).items()):
            if not inspect.isclass(member) or member.__module__ != module.__name__:
                continue
            full = f"{module.__name__.removeprefix(PREFIX)}.{name}"
            has_tests = any(attribute.startswith("test_") for attribute in dir(member))
            adds = (
                any(not attribute.startswith("__") for attribute in vars(member)) or len(member.__bases__) > 1
            )
            if has_tests and adds and not _left_out(full):
                yield full, member


def _adjustments(name: str) -> tuple[type, ...]:
    """Returns what this adapter says about a class of the suites."""
    adjustment = ADJUSTMENTS[ADAPTER].get(name)
    return (adjustment,) if adjustment else ()


for _name, _class in _classes():
    _test = "Test_" + _name.replace(".", "_")
    globals()[_test] = type(
        _test,
        (*_adjustments(_name), _class),
        {"suite": _name, "__module__": __name__, "__test__": True},
    )
