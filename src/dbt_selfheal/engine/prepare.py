"""What comes before dbt: the workspace is read, what can be wrong beforehand is checked, the lock is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dbt_selfheal.engine.interface import Request
from dbt_selfheal.errors import ConcurrentInitializationError, DiskSpaceError
from dbt_selfheal.report.recorder import Recorder
from dbt_selfheal.report.scrub import Scrubber
from dbt_selfheal.workspace.dbt import Dbt, find_dbt
from dbt_selfheal.workspace.project import Workspace, read_workspace, shown_path


class Preparation:
    """The first steps of an attempt.

    Args:
        request: What the attempt is asked to do.
        recorder: Keeps the steps.
    """

    def __init__(self, request: Request, recorder: Recorder) -> None:
        self.request = request
        self.recorder = recorder
        self.workspace: Workspace | None = None
        self.disk: DiskSpaceError | None = None  # the error of a disk too full for anything to be built
        self._checked = False

    def read(self) -> Workspace:
        """Returns the workspace, read once; raises ConfigurationError if it is wrong."""
        if self.workspace is None:
            self.recorder.start_step("preflight")
            self.workspace = read_workspace(self.request.options)
            self.recorder.scrub = Scrubber(self.workspace.output)
            self.recorder.view.state_folder = self.workspace.state_folder
            self.recorder.view.threads = self.request.threads or 1
        return self.workspace

    def check(self, workspace: Workspace, dbt: Dbt | None = None, *, operation: str | None = None) -> None:
        """Checks, once, what needs no lock: installation, folder, seeds, disk.

        Args:
            workspace: What to check.
            dbt: The dbt that will run; None for the one that is found.
            operation: A macro that must be there; None for none beyond those that heal.

        Raises:
            InitializationError: Something of that is wrong.
        """
        from dbt_selfheal.workspace.files import check_disk, check_seeds
        from dbt_selfheal.workspace.installation import check_installation, check_operation

        if self._checked:
            return
        check_installation(workspace, dbt or find_dbt())
        if operation is not None:
            check_operation(workspace, operation)
        self.make_folder(workspace)
        for warning in check_seeds(workspace):
            self.recorder.warnings.append(warning)
            self.recorder.view.note(f"Warning: {warning}")
        self.disk = check_disk(workspace, self.request.least_free_mb())
        file = workspace.database_file
        if self.disk is not None and file is not None and not file.exists():
            raise self.disk
        self._checked = True

    def make_folder(self, workspace: Workspace) -> None:
        """Makes the folder of the database, and of its lock; raises InitializationError if it cannot."""
        from dbt_selfheal.workspace.files import make_database_folder

        made = make_database_folder(workspace)
        if made is not None:
            self.recorder.view.note(f"Made the folder {shown_path(made)} for the database")

    @contextmanager
    def lock(self, workspace: Workspace) -> Iterator[Callable[[], None]]:
        """Holds the lock; yields a function that releases it early.

        Raises:
            ConcurrentInitializationError: Another initialization holds it for longer than is waited for.
        """
        from dbt_selfheal.workspace.lock import hold, lock_file

        self.recorder.end_step()
        self.recorder.start_step("acquire_lock")
        limit = self.request.lock_limit(workspace)

        def on_wait(holder: str) -> None:
            self.recorder.view.note(
                f"Another initialization is running ({holder}); "
                f"waiting until it has shown no sign of life for {limit:g} s"
            )

        with hold(lock_file(workspace), limit, on_wait) as release:
            yield release
            self.recorder.end_step()

    def held(self, workspace: Workspace) -> ConcurrentInitializationError | None:
        """Returns who holds the lock now, as the error of it; None if nobody does."""
        from dbt_selfheal.workspace.lock import holder, is_held, lock_file

        lock = lock_file(workspace)
        if lock is None or not is_held(lock):
            return None
        return ConcurrentInitializationError(lock, holder=holder(lock))

    def check_file(self, workspace: Workspace) -> None:
        """Waits for another process to close a DuckDB file, then checks the database file.

        Raises:
            AnotherProcessError: It is still open after the time for the lock.
            DatabaseCorruptionError: It is damaged.
        """
        from dbt_selfheal.workspace.files import wait_for_file
        from dbt_selfheal.workspace.integrity import check_database

        limit = self.request.lock_limit(workspace)

        def on_wait(who: str) -> None:
            self.recorder.view.note(f"The database file is kept open by {who}; waiting up to {limit:g} s")

        if workspace.adapter == "duckdb":
            wait_for_file(workspace.database_file, limit, on_wait)
        check_database(workspace)
