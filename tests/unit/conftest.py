"""Fixtures for tests of single macros: a project with both packages, parsed once, on DuckDB in memory.

pytest-dbt-core gives `macro_generator`; its config, adapter and manifest are replaced here by ones that are
made once for each worker, have a profile of their own, and let macros call `adapter.get_relation`.
`macro` is the shorter way: `macro("_settings", vars={...})()`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import pytest
import yaml
from support.project import PACKAGES

PACKAGE = "dbt_selfheal"
PROFILE = "unit: {target: dev, outputs: {dev: {type: duckdb, path: ':memory:', threads: 1}}}\n"


@dataclasses.dataclass(frozen=True)
class Arguments:
    """The command line that dbt's own entry points read."""

    project_dir: str
    profiles_dir: str
    target_path: str
    log_path: str
    profile: str = "unit"
    target: str | None = None
    threads: int | None = None
    which: str = "run"
    WHICH: str = "run"
    vars: dict[str, Any] = dataclasses.field(default_factory=dict)
    PARTIAL_PARSE: bool = False
    USE_COLORS: bool = False
    SEND_ANONYMOUS_USAGE_STATS: bool = False
    REQUIRE_RESOURCE_NAMES_WITHOUT_SPACES: bool = False


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The runtime config of a project that has nothing but the packages of this repository."""
    from dbt import flags
    from dbt.config.project import read_project_flags
    from dbt.config.runtime import RuntimeConfig

    folder = tmp_path_factory.mktemp("unit")
    (folder / "profiles.yml").write_text(PROFILE)
    project = {"name": "unit", "version": "1.0.0", "config-version": 2, "profile": "unit"}
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    listed = {"packages": [{"local": str(path)} for path in PACKAGES.values()]}
    (folder / "packages.yml").write_text(yaml.safe_dump(listed))
    (folder / "dbt_packages").mkdir()
    for name, path in PACKAGES.items():
        (folder / "dbt_packages" / name).symlink_to(path)
    arguments = Arguments(str(folder), str(folder), str(folder / "target"), str(folder / "logs"))
    flags.set_from_args(arguments, read_project_flags(arguments.project_dir, arguments.profiles_dir))
    config = RuntimeConfig.from_args(arguments)
    config.target_path = arguments.target_path
    return config


@pytest.fixture(scope="session")
def adapter(config: Any) -> Iterator[Any]:
    """The adapter, connected."""
    from dbt.adapters.factory import get_adapter, register_adapter, reset_adapters
    from dbt.context.providers import generate_runtime_macro_context
    from dbt.mp_context import get_mp_context

    register_adapter(config, get_mp_context())
    adapter = get_adapter(config)
    adapter.set_macro_context_generator(generate_runtime_macro_context)
    with adapter.connection_named("unit"):
        yield adapter
    adapter.cleanup_connections()
    reset_adapters()


@pytest.fixture(scope="session")
def manifest(config: Any, adapter: Any) -> Any:
    """The manifest, with the macros of this package, of dbt and of the adapter."""
    from dbt.parser.manifest import ManifestLoader
    from dbt_common.clients.system import get_env
    from dbt_common.context import set_invocation_context

    set_invocation_context(get_env())
    manifest = ManifestLoader.get_full_manifest(config)
    adapter.set_macro_resolver(manifest)
    return manifest


class Macro(Protocol):
    """The type of the fixture macro."""

    def __call__(
        self,
        name: str,
        *,
        package: str = PACKAGE,
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        project_vars: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Callable[..., Any]:
        """Returns a macro that can be called like a function.

        Args:
            name: The macro's name.
            package: The package it is in, or `dbt`.
            vars: What `--vars` would hold.
            project_vars: What `vars:` of dbt_project.yml would hold.
            context: Names to put into the macro's Jinja context, or to replace there.

        Returns:
            The macro; it returns what its `return` returns, else the text it renders.
        """
        ...


@pytest.fixture
def macro(config: Any, adapter: Any, manifest: Any, monkeypatch: pytest.MonkeyPatch) -> Macro:
    """Finds a macro and gives it the context that dbt gives it while a command runs."""
    from dbt.clients.jinja import MacroGenerator
    from dbt.config.project import VarProvider
    from dbt.context.providers import generate_runtime_macro_context

    adapter.cache.clear()

    def find(
        name: str,
        *,
        package: str = PACKAGE,
        vars: Mapping[str, Any] | None = None,  # noqa: A002
        project_vars: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Callable[..., Any]:
        monkeypatch.setattr(config, "cli_vars", dict(vars or {}))
        monkeypatch.setattr(config, "vars", VarProvider(dict(project_vars or {})))
        unique_id = f"macro.{package}.{name}"
        if unique_id not in manifest.macros:
            raise LookupError(f"there is no macro {unique_id}")
        made = generate_runtime_macro_context(manifest.macros[unique_id], config, manifest, package)
        made.update(context or {})
        generator: Callable[..., Any] = MacroGenerator(manifest.macros[unique_id], made)
        return generator

    return find
