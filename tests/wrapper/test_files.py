"""What the command writes: no more rights than its folder, through no link out of it, beside other users."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import DbtProject, DuckDbDatabase
from support.environments import DbtServer
from wrapper.conftest import COMMAND, SHOP, SHOP_NAMES, TIMEOUT, Cli, Finished

pytestmark = pytest.mark.duckdb

SECOND_USER = 65534
# It may read everything, as this Python may be in the first one's home; what it may write matters here.
AS_SECOND = ["setpriv", f"--reuid={SECOND_USER}", f"--regid={SECOND_USER}", "--clear-groups"]
AS_SECOND += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--"]


def run(
    cli: Cli, project: DbtProject, *arguments: str, first: list[str] | None = None, **env: str
) -> Finished:
    """Runs the command with other words before it, as another user or with another umask."""
    done = subprocess.run(
        [*(first or []), *COMMAND, *arguments],
        cwd=project.folder,
        env={**cli.variables(), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return Finished(done.returncode, done.stdout, done.stderr, 0.0)


def rights(path: Path) -> int:
    """Returns who may do what with a file, as chmod has it."""
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that all users reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="selfheal-files-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def second(place: Path) -> dict[str, str]:
    """The environment variables of a second user of this machine; skipped where this one may not be it."""
    tried = None
    if shutil.which("setpriv") and os.geteuid() == 0:
        own = place / "second"
        own.mkdir(mode=0o700)
        os.chown(own, SECOND_USER, SECOND_USER)
        code = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
        command = [*AS_SECOND, sys.executable, "-c", code]
        tried = subprocess.run(command, check=False, capture_output=True, cwd=place)
    if tried is None or tried.returncode != 0:
        pytest.skip("needs the right to be another user, who can read this Python")
    return {
        "HOME": str(own),
        "XDG_CACHE_HOME": str(own / ".cache"),
        "DBT_TARGET_PATH": str(own / "target"),
        "DBT_LOG_PATH": str(own / "logs"),
    }


def project_in(place: Path, server: DbtServer) -> DbtProject:
    """Makes the shop where all users can read it, with its database in a folder beside it."""
    (place / "data").mkdir()
    config = {"vars": {"dbt_selfheal": {"timeout_seconds": 200}}}
    return DbtProject(place / "shop", DuckDbDatabase(place / "data"), server, files=SHOP, config=config)


@pytest.mark.both_packages
def test_what_is_written_has_no_more_rights_than_its_folder(cli: Cli, shop: DbtProject) -> None:
    shop.write_profile(path="data/deep/warehouse.duckdb")
    log, page = shop.folder / "events.jsonl", shop.folder / "health.html"
    shop.folder.chmod(0o700)
    (shop.folder / "target").mkdir(mode=0o700, exist_ok=True)
    (shop.folder / "target").chmod(0o700)
    own = ["sh", "-c", 'umask 0; exec "$@"', "sh"]
    assert run(cli, shop, "ensure", "--log-file", str(log), first=own).returncode == 0
    run(cli, shop, "health", "--html", str(page), first=own)
    state = shop.folder / "target/dbt_selfheal"
    data = shop.folder / "data/deep"
    written = [log, page, state, *state.iterdir(), data.parent, data, data / "warehouse.duckdb.selfheal.lock"]
    assert (state / "attempts.jsonl") in written
    too_much = {str(path): oct(rights(path)) for path in written if rights(path) & ~rights(path.parent)}
    assert too_much == {}
    assert {rights(path) & 0o077 for path in written} == {0}


@pytest.mark.promise("Files of its own")
def test_no_link_is_followed_where_the_command_keeps_its_own_files(cli: Cli, shop: DbtProject) -> None:
    shop.write({"victim": "precious", "elsewhere/kept": "precious"})
    victim, elsewhere = shop.folder / "victim", shop.folder / "elsewhere"
    state = shop.folder / "target/dbt_selfheal"
    state.mkdir(parents=True)
    names = ("attempts.jsonl", "attempts.new", "durations.json", "run_results.json")
    for name in names:
        (state / name).symlink_to(victim)
    assert cli(shop, "ensure", "--json").document["state"] == "completed"
    assert victim.read_text() == "precious"
    assert not (state / "attempts.jsonl").is_symlink()
    shop.drop("report")
    shutil.rmtree(state)
    state.symlink_to(elsewhere)
    assert cli(shop, "ensure", "--json").document["state"] == "completed"
    assert [path.name for path in elsewhere.iterdir()] == ["kept"]


def test_the_copy_of_what_dbt_did_itself_does_not_go_through_a_link(cli: Cli, shop: DbtProject) -> None:
    shop.write(
        {"models/py.py": "def model(dbt, session):\n    return dbt.ref('raw_orders')\n", "victim": "precious"}
    )
    state = shop.folder / "target/dbt_selfheal"
    state.mkdir(parents=True)
    (state / "run_results.json").symlink_to(shop.folder / "victim")
    cli(shop, "ensure", "-s", "py", code=None)
    assert (shop.folder / "victim").read_text() == "precious"


def test_a_lock_that_is_a_link_is_refused(cli: Cli, shop: DbtProject) -> None:
    shop.write({"victim": "precious"})
    database: Any = shop.database
    lock = Path(f"{database.path}.selfheal.lock")
    lock.symlink_to(shop.folder / "victim")
    refused = cli(shop, "ensure", "--json", code=1)
    assert refused.error["code"] == "selfheal-read-only"
    assert f"Remove the link: rm {lock}" in refused.error["remedy"]
    assert (shop.folder / "victim").read_text() == "precious"
    assert shop.names() == set()


def test_a_link_at_the_place_of_a_database_that_is_moved_aside_stays_one(cli: Cli, shop: DbtProject) -> None:
    """The link is renamed; what it leads to is where it was."""
    cli(shop, "ensure")
    database: Any = shop.database
    real = database.path.with_name("elsewhere.duckdb")
    database.path.rename(real)
    database.path.symlink_to(real)
    content = real.read_bytes()
    [moved] = cli(shop, "recreate", "--yes", "--json").document["moved"]
    assert real.read_bytes() == content
    assert Path(moved).resolve() == real.resolve()
    assert cli(shop, "ensure", "--json").document["state"] == "completed"
    assert real.read_bytes() == content


def test_a_log_file_may_be_a_link_of_ones_own_and_no_one_elses(
    cli: Cli, shop: DbtProject, second: dict[str, str], tmp_path: Path
) -> None:
    real, link = tmp_path / "real.jsonl", tmp_path / "events.jsonl"
    link.symlink_to(real)
    cli(shop, "ensure", "--log-file", str(link))
    assert "initialization_complete" in real.read_text()
    real.write_text("precious")
    os.lchown(link, SECOND_USER, SECOND_USER)
    shop.drop("report")
    result = cli(shop, "ensure", "--log-file", str(link), "--json")
    assert real.read_text() == "precious"
    assert result.document["state"] == "completed"
    assert result.stderr.count("cannot be written: it is a link of another user") == 1


def test_two_users_work_on_one_database_by_turns(
    cli: Cli, place: Path, dbt_server: DbtServer, second: dict[str, str]
) -> None:
    project = project_in(place, dbt_server)
    data = place / "data"
    data.chmod(0o777)
    assert run(cli, project, "ensure").returncode == 0
    refused = run(cli, project, "ensure", first=AS_SECOND, **second)
    assert refused.returncode == 1
    assert "warehouse.duckdb cannot be written to" in refused.said
    (data / "warehouse.duckdb").chmod(0o666)
    project.drop("report")
    healed = run(cli, project, "ensure", "--json", first=AS_SECOND, **second)
    assert healed.returncode == 0, healed.output
    assert healed.document["tables_created"] == ["report"]
    project.drop("report")
    assert run(cli, project, "exec", "--", "dbt", "run", "-s", "report").returncode == 0
    assert project.names() == SHOP_NAMES


def test_a_second_user_waits_for_the_first_and_is_told_for_whom(
    cli: Cli, place: Path, dbt_server: DbtServer, second: dict[str, str]
) -> None:
    from dbt_selfheal.workspace.lock import hold

    project = project_in(place, dbt_server)
    (place / "data").chmod(0o777)
    with hold(place / "data/warehouse.duckdb.selfheal.lock", 0):
        refused = run(cli, project, "ensure", "--lock-timeout", "0", first=AS_SECOND, **second)
    assert refused.returncode == 4
    assert f"process {os.getpid()} on " in refused.said
    assert run(cli, project, "ensure", first=AS_SECOND, **second).returncode == 0


def test_a_project_that_is_read_only(
    cli: Cli, place: Path, dbt_server: DbtServer, second: dict[str, str]
) -> None:
    """Healed where dbt's own folders are elsewhere; else dbt cannot work, and that is said in a few lines."""
    project = project_in(place, dbt_server)
    os.chown(place / "data", SECOND_USER, SECOND_USER)
    before = sorted(str(path) for path in project.folder.rglob("*"))
    inside = {key: value for key, value in second.items() if key not in ("DBT_TARGET_PATH", "DBT_LOG_PATH")}
    refused = run(cli, project, "ensure", first=AS_SECOND, **inside)
    assert refused.returncode != 0
    assert "What to do:" in refused.said
    assert len(refused.stderr.splitlines()) < 25
    healed = run(cli, project, "ensure", "--json", first=AS_SECOND, **second)
    assert healed.returncode == 0, healed.output
    assert set(healed.document["tables_created"]) == SHOP_NAMES
    assert (
        run(cli, project, "exec", "--", "dbt", "run", "-s", "report", first=AS_SECOND, **second).returncode
        == 0
    )
    assert sorted(str(path) for path in project.folder.rglob("*")) == before


def test_the_folder_of_locks_is_not_one_that_another_user_has_put_there(
    place: Path, second: dict[str, str]
) -> None:
    place.chmod(0o1777)
    theirs = place / f"dbt-selfheal-{SECOND_USER}"
    theirs.mkdir(mode=0o777)
    theirs.chmod(0o777)
    code = "from dbt_selfheal.workspace.lock import _lock_folder; print(_lock_folder())"
    env = {**os.environ, "XDG_CACHE_HOME": "/proc/nothing", "TMPDIR": str(place)}
    command = [*AS_SECOND, sys.executable, "-c", code]
    refused = subprocess.run(command, env=env, check=False, capture_output=True, text=True, cwd=place)
    assert "is another user's, or no folder" in refused.stderr
    theirs.rmdir()
    theirs.symlink_to(place / "second")
    refused = subprocess.run(command, env=env, check=False, capture_output=True, text=True, cwd=place)
    assert "is another user's, or no folder" in refused.stderr
    theirs.unlink()
    made = subprocess.run(command, env=env, check=True, capture_output=True, text=True, cwd=place)
    assert made.stdout.strip() == str(theirs)
    assert rights(theirs) == 0o700
