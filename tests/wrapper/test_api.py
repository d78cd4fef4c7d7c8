"""The Python API, with the names and promises that applications were given."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import ValidationError
from support import DbtProject
from wrapper.conftest import SHOP_NAMES

import dbt_selfheal
from dbt_selfheal import (
    INITIALIZATION_STEPS,
    REQUIRED_TABLES,
    AnotherProcessError,
    AutoInitializer,
    ConcurrentInitializationError,
    ConfigurationError,
    DatabaseCorruptionError,
    DiskSpaceError,
    HookError,
    HookManager,
    InitializationError,
    InitializationResult,
    InitializationState,
    InitializationStep,
    InitializationTimeoutError,
    RequiredTable,
    SelfHealError,
    TableExistenceChecker,
    TableTier,
)
from dbt_selfheal.report.catalogue import codes
from dbt_selfheal.workspace.dbt import Options
from dbt_selfheal.workspace.lock import hold, lock_file
from dbt_selfheal.workspace.project import read_workspace

NOW = datetime(2025, 12, 12, 10, tzinfo=timezone.utc)
PUBLIC = {
    "AnotherProcessError", "AutoInitializer", "ConcurrentInitializationError", "ConfigurationError",
    "DatabaseCorruptionError", "DiskSpaceError", "HookError", "HookManager", "InitializationError",
    "INITIALIZATION_STEPS", "REQUIRED_TABLES",
    "InitializationResult", "InitializationState", "InitializationStep", "InitializationTimeoutError",
    "RequiredTable", "SelfHealError", "TableExistenceChecker", "TableTier", "__version__",
}  # fmt: skip


def test_the_public_names_are_pinned() -> None:
    assert set(dbt_selfheal.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(dbt_selfheal, name) is not None
    with pytest.raises(AttributeError):
        dbt_selfheal.plugins  # noqa: B018 (dbt asks every module of this kind for it)


def test_importing_it_is_cheap_and_imports_nothing_of_dbt() -> None:
    code = (
        "import sys, time; before = set(sys.modules); start = time.perf_counter(); import dbt_selfheal; "
        "print(time.perf_counter() - start); print(' '.join(sorted(set(sys.modules) - before)))"
    )
    results = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    seconds, names = zip(*(result.stdout.splitlines() for result in results), strict=True)
    assert min(float(text) for text in seconds) < 0.010
    assert not {"dbt", "click", "rich", "pydantic", "yaml", "jinja2", "filelock"} & set(names[0].split())


def test_it_makes_a_workspace_ready_and_says_what_it_did(
    shop: DbtProject, capfd: pytest.CaptureFixture[str]
) -> None:
    shop.write({"seeds/country-codes.csv": "id\n1\n"})
    checker = TableExistenceChecker(shop.folder, profiles_dir=shop.folder)
    assert checker.get_existing_tables() == set()
    assert not checker.is_initialized()
    by_tier = checker.get_missing_by_tier()
    assert {table.name for table in by_tier[TableTier.SEED]} == {
        "raw_customers",
        "raw_orders",
        "country-codes",
    }
    assert {table.name for table in by_tier[TableTier.FOUNDATION]} == {"orders", "totals", "report"}
    initializer = AutoInitializer(shop.folder, profiles_dir=shop.folder)
    result = initializer.run_initialization(
        [table for table in checker.get_missing_tables() if table.name == "orders"]
    )
    assert set(result.tables_created) == {"raw_customers", "raw_orders", "orders"}
    hooks = HookManager()
    hooks.register_pre_simulation_hook(initializer.ensure_initialized, name="self-healing")
    hooks.run_pre_simulation_hooks()
    assert checker.is_initialized()
    assert checker.get_missing_tables() == []
    assert checker.get_missing_by_tier() == {}
    assert checker.get_existing_tables() == {*SHOP_NAMES, "country-codes"}
    again = initializer.ensure_initialized()
    assert (again.state, again.success, again.way) == (InitializationState.COMPLETED, True, "warm")
    assert InitializationResult.model_validate_json(again.model_dump_json()).steps == again.steps
    assert capfd.readouterr() == ("", ""), "without verbose it prints nothing"


def test_while_another_initialization_runs_nobody_is_told_that_all_is_there(shop: DbtProject) -> None:
    workspace = read_workspace(Options(project_dir=str(shop.folder), profiles_dir=str(shop.folder)))
    checker = TableExistenceChecker(shop.folder, profiles_dir=shop.folder)
    with hold(lock_file(workspace), 0, lambda _: None), pytest.raises(ConcurrentInitializationError):
        checker.is_initialized()
    assert not checker.is_initialized()


def test_a_failure_says_what_failed_and_what_to_do(shop: DbtProject) -> None:
    shop.write({"models/orders.sql": "select nowhere from {{ ref('raw_orders') }}"})
    with pytest.raises(InitializationError) as caught:
        AutoInitializer(shop.folder, profiles_dir=shop.folder, timeout_seconds=120).ensure_initialized()
    error = caught.value
    assert error.step == "build_foundation"
    assert error.missing_tables == ["orders", "totals", "report"]
    assert error.remedy
    assert "models/orders.sql" in str(error)


def test_the_time_limit_is_an_error_of_its_own(shop: DbtProject) -> None:
    with pytest.raises(InitializationTimeoutError) as caught:
        AutoInitializer(shop.folder, profiles_dir=shop.folder, timeout_seconds=0.3).ensure_initialized()
    assert caught.value.timeout_seconds == 0.3
    assert 0.3 <= caught.value.elapsed_seconds < 5
    with pytest.raises(ValueError, match="timeout_seconds"):
        AutoInitializer(shop.folder, timeout_seconds=0)


def test_the_errors_are_those_of_the_contract() -> None:
    assert issubclass(InitializationTimeoutError, InitializationError)
    assert ConcurrentInitializationError(Path("x.lock")).lock_file == Path("x.lock")
    assert InitializationTimeoutError(timeout_seconds=60, elapsed_seconds=61.5).elapsed_seconds == 61.5
    cause = ValueError("bad block")
    assert DatabaseCorruptionError(Path("x.duckdb"), original_error=cause).original_error is cause
    error = InitializationError("failed", step="verify", missing_tables=["a"], original_error=cause)
    assert (error.step, error.missing_tables, error.original_error) == ("verify", ["a"], cause)


def test_every_error_made_by_hand_has_a_code_of_the_catalogue_and_a_remedy() -> None:
    made: list[SelfHealError] = [
        SelfHealError("x"),
        InitializationError("x"),
        AnotherProcessError("x"),
        InitializationTimeoutError(60, 61),
        ConcurrentInitializationError(Path("x.lock")),
        DatabaseCorruptionError(Path("x.duckdb")),
        DiskSpaceError("x"),
        ConfigurationError("x"),
        HookError("x", ValueError("y")),
    ]
    for error in made:
        assert error.remedy
        assert codes()[error.code][0].exit_code == error.exit_code
    assert HookError("x", DiskSpaceError("y", remedy="Free some.")).remedy == "Free some."


def test_the_steps_are_those_of_the_data_model() -> None:
    assert [(step.name, step.display_name, step.status) for step in INITIALIZATION_STEPS] == [
        ("check_tables", "Checking database tables", "pending"),
        ("load_seeds", "Loading seed data", "pending"),
        ("build_foundation", "Building foundation models", "pending"),
        ("verify", "Verifying initialization", "pending"),
    ]


def test_a_selection_may_be_one_text(shop: DbtProject) -> None:
    checker = TableExistenceChecker(shop.folder, profiles_dir=shop.folder, select="orders")
    assert [table.name for table in checker.get_required_tables()] == ["orders"]
    initializer = AutoInitializer(shop.folder, profiles_dir=shop.folder, select="raw_orders raw_customers")
    result = initializer.ensure_initialized()
    assert set(result.tables_created) == {"raw_orders", "raw_customers"}
    assert [step.name for step in result.steps].count("acquire_lock") == 1


def test_the_required_tables_are_those_of_the_project(
    shop: DbtProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.configure(vars={"dbt_selfheal": {"required": ["orders", "raw_orders"]}})
    monkeypatch.chdir(shop.folder)
    tables = type(REQUIRED_TABLES)()
    assert len(tables) == 2
    assert {(table.name, table.tier, table.dbt_selector) for table in tables} == {
        ("orders", TableTier.FOUNDATION, "orders"),
        ("raw_orders", TableTier.SEED, "raw_orders"),
    }
    assert tables[0] in tables


def test_an_application_can_switch_the_first_hook_off(shop: DbtProject) -> None:
    ran: list[str] = []
    for switch in (False, True):
        initializer = AutoInitializer(shop.folder, profiles_dir=shop.folder, select="raw_orders")
        hooks = HookManager(initializer, auto_initialize=switch)
        hooks.register_pre_simulation_hook(lambda: ran.append(",".join(shop.names())), priority=-5)
        if switch:
            hooks.run_pre_simulation_hooks()
        else:
            shop.execute("create table other (id integer)")
            hooks.run_pre_simulation_hooks()
            shop.drop("other")
    assert ran == ["other", "raw_orders"]


def test_hooks_run_in_order_of_priority_and_stop_at_the_first_error() -> None:
    ran: list[str] = []
    hooks = HookManager()
    hooks.register_pre_simulation_hook(lambda: ran.append("late"), priority=10)
    hooks.register_pre_simulation_hook(lambda: ran.append("first"), priority=-1)
    hooks.register_pre_simulation_hook(lambda: ran.append("second"))
    hooks.register_pre_simulation_hook(lambda: 1 / 0, name="divide", priority=5)
    with pytest.raises(HookError, match="divide") as caught:
        hooks.run_pre_simulation_hooks()
    assert ran == ["first", "second"]
    assert isinstance(caught.value.original_error, ZeroDivisionError)


def test_required_tables_are_frozen_and_checked() -> None:
    table = RequiredTable(name="config_age_bands", tier=TableTier.SEED, dbt_selector="config_age_bands")
    with pytest.raises(ValidationError):
        table.name = "other"
    for wrong in (
        {"name": ""},
        {"name": "2025_bands"},
        {"name": "age bands"},
        {"name": 'bands"; drop table x'},
        {"tier": "none"},
        {"dbt_selector": ""},
        {"dbt_selector": " + "},
    ):
        with pytest.raises(ValidationError):
            RequiredTable.model_validate({"name": "a", "tier": "seed", "dbt_selector": "a", **wrong})


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, "pending"),
        ({"started_at": NOW}, "running"),
        ({"started_at": NOW, "completed_at": NOW, "success": True}, "completed"),
        ({"started_at": NOW, "completed_at": NOW, "success": False, "error_message": "why"}, "failed"),
    ],
)
def test_a_step_has_a_status(values: dict[str, object], status: str) -> None:
    assert InitializationStep.named("verify", **values).status == status


@pytest.mark.parametrize(
    "values",
    [
        {"completed_at": NOW, "success": True},
        {"started_at": NOW, "completed_at": NOW - timedelta(seconds=1), "success": True},
        {"started_at": NOW, "completed_at": NOW},
        {"started_at": NOW, "completed_at": NOW, "success": False},
        {"started_at": NOW, "success": True},
    ],
)
def test_a_step_that_contradicts_itself_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        InitializationStep.named("verify", **values)


def test_durations_and_transitions_are_those_of_the_data_model() -> None:
    step = InitializationStep.named(
        "verify", started_at=NOW, completed_at=NOW + timedelta(seconds=15), success=True
    )
    assert step.duration_seconds == 15.0
    state = InitializationState
    allowed = {(a, b) for a in state for b in state if a.can_become(b)}
    assert allowed == {
        (state.NOT_STARTED, state.IN_PROGRESS),
        (state.IN_PROGRESS, state.COMPLETED),
        (state.IN_PROGRESS, state.FAILED),
        (state.FAILED, state.IN_PROGRESS),
        (state.COMPLETED, state.NOT_STARTED),
        (state.COMPLETED, state.INCOMPLETE),
        (state.INCOMPLETE, state.IN_PROGRESS),
    }
