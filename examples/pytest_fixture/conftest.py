"""The fixture `ready_workspace`: a dbt project with everything built, for each test one of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dbt_selfheal import AutoInitializer

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(scope="session")
def workspace_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that is built once for all tests."""
    folder = tmp_path_factory.mktemp("template") / "workspace"
    shutil.copytree(PROJECT, folder, symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSPACE", str(folder))
        AutoInitializer(folder, profiles_dir=folder).ensure_initialized()
    return folder


@pytest.fixture
def ready_workspace(workspace_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which the test may do with as it likes; copying takes milliseconds."""
    folder = tmp_path / "workspace"
    shutil.copytree(workspace_template, folder, symlinks=True)
    monkeypatch.setenv("WORKSPACE", str(folder))
    return folder
