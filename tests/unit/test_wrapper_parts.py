"""The pure parts of the wrapper: catalogue, scrubbing, options, lock, estimates."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from dbt_selfheal.cli.explain import code_text
from dbt_selfheal.errors import AnotherProcessError, ConcurrentInitializationError, ConfigurationError
from dbt_selfheal.report import remedies
from dbt_selfheal.report.catalogue import GENERAL, PREFIX, Remedy, catalogue, codes
from dbt_selfheal.report.durations import Durations
from dbt_selfheal.report.scrub import MASK, Scrubber
from dbt_selfheal.report.style import flag_in, wanted_colors, wrapped
from dbt_selfheal.workspace import lock
from dbt_selfheal.workspace.dbt import Options, find_dbt, heals, option_of, subcommand
from dbt_selfheal.workspace.files import _name_of, wait_for_file
from dbt_selfheal.workspace.installation import check_installation
from dbt_selfheal.workspace.jinja import load_yaml, render
from dbt_selfheal.workspace.lock import hold, holder
from dbt_selfheal.workspace.project import read_workspace

ROWS = [row for row in catalogue() if row.pattern is not None]
KINDS = {
    "seed-type": {"resource_type": "seed", "name": "raw", "path": "seeds/raw.csv"},
    "initial-data-wrong": {"resource_type": "initial data", "name": "main.users", "path": "seeds/users.csv"},
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_the_catalogue_knows_each_example(row: Remedy) -> None:
    """The databases' own messages, and those of the package: the first row that fits is of that code."""
    found = remedies.find(row.example, node=KINDS.get(row.code.removeprefix(PREFIX)))
    assert found is not None
    assert found.code == row.code
    assert found.what_to_do
    assert "{" not in found.what_to_do.replace("{year", "")


def test_the_pid_of_the_process_that_locks_a_file_is_named() -> None:
    found = remedies.find('Could not set lock on file "/x.duckdb": Conflicting lock is held (PID 4711).')
    assert found is not None
    assert "4711" in found.what_happened
    assert "4711" in found.what_to_do


def test_the_command_of_the_process_that_keeps_a_file_open_is_one_short_line() -> None:
    script = "import time\n\nprint('begun', flush=True)\ntime.sleep(60)  # " + "x" * 200
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        shown = _name_of(process.pid)
        process.kill()
    assert "\n" not in shown
    assert "-c import time print(" in shown
    assert len(shown) <= 64


def test_every_row_of_the_catalogue_is_complete() -> None:
    for code, rows in codes().items():
        assert re.fullmatch(r"selfheal-[a-z]+(-[a-z]+)*", code)
        assert len({row.exit_code for row in rows}) == 1
        assert rows[0].exit_code in (1, 3, 4, 5, 6, 7, 9, 126, 127, 130) or code == "selfheal-usage"
        assert rows[0].why, code
        for row in rows:
            assert row.what_happened
            assert row.what_to_do
            assert row.example
            groups = set(row.pattern.groupindex) if row.pattern else set()
            known = {group.rstrip("0123456789") for group in groups} | set(GENERAL)
            for text in (row.what_happened, row.what_to_do):
                assert set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", text)) <= known, row


def test_the_page_of_errors_is_up_to_date_with_the_catalogue() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "errors", "--check"], check=False)
    assert done.returncode == 0, "run: scripts/errors"


@pytest.mark.parametrize("code", codes())
def test_every_code_is_explained(code: str) -> None:
    text = code_text(codes()[code])
    assert text.startswith(f"{code} (exit code ")
    assert "What to do: " in text
    general = text.partition("For example:")[0]
    assert "{" not in general.replace("{year: 2025}", "").replace("{NAME: ...}", "")


def test_every_code_in_the_source_is_in_the_catalogue_with_its_exit_code() -> None:
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        found |= set(re.findall(r'"(selfheal-[a-z-]+)"', path.read_text(encoding="utf-8")))
    assert len(found) > 20
    assert found - {PREFIX} <= set(codes())
    without_pattern = {row.code for row in catalogue() if row.pattern is None}
    assert without_pattern <= found, "nothing raises these"


@pytest.mark.parametrize(
    ("text", "said", "advice"),
    [
        (
            "ERROR: dbt_selfheal: vars.dbt_selfheal.x is not a setting. Did you mean: y?\n  Fix it in a.yml.",
            "vars.dbt_selfheal.x is not a setting.",
            "Did you mean: y?\nFix it in a.yml.",
        ),
        (
            "ERROR: dbt_selfheal: 2 relations are missing: a, b\n  Build them with:\n    dbt build -s a b",
            "2 relations are missing: a, b",
            "Build them with:\n  dbt build -s a b",
        ),
        (
            "dbt_selfheal: [selfheal-source-missing] no table.\nWhat to do: Ask its owner.",
            "no table.",
            "Ask its owner.",
        ),
        ("Parser Error: near x\nDid you mean y?", "Parser Error: near x\nDid you mean y?", None),
        ("ERROR: dbt_selfheal: no advice at all", "no advice at all", None),
    ],
)
def test_what_a_message_of_the_package_advises_is_told_from_what_it_says(
    text: str, said: str, advice: str | None
) -> None:
    assert remedies.parted(text) == (said, advice)


def test_a_code_in_a_message_decides() -> None:
    found = remedies.find("selfheal-disk-full: permission denied for schema x")
    assert found is not None
    assert found.code == "selfheal-disk-full"
    found = remedies.find("selfheal-no-such-code: permission denied for schema x")
    assert found is not None
    assert found.code == "selfheal-permission"


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        (
            "a: b: c",
            "{file}:1 is not valid YAML: mapping values are not allowed in this context",
            "at {file}:1.",
        ),
        ("a: 1\nb: *pl4nted", "{file}:2 is not valid YAML: found undefined alias", "at {file}:2."),
        ("- a", "{file} must be a mapping of keys to values", None),
        (None, "{file} cannot be read: No such file or directory", None),
    ],
)
def test_a_file_that_is_no_yaml_is_named_with_its_line_and_without_its_values(
    tmp_path: Path, text: str | None, message: str, remedy: str | None
) -> None:
    file = tmp_path / "x.yml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_yaml(file)
    assert caught.value.message == message.format(file=file)
    assert "pl4nted" not in str(caught.value)
    code = "selfheal-file-unreadable" if text is None else "selfheal-yaml-invalid"
    assert caught.value.code == code
    if remedy is not None:
        assert caught.value.remedy == f"Correct it {remedy.format(file=file)}"


def test_an_empty_yaml_file_has_no_keys(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("")
    assert load_yaml(tmp_path / "x.yml") == {}


def test_no_adapter_of_an_unknown_name_is_proposed_to_be_installed(tmp_path: Path) -> None:
    """A package of a misspelt name can be anybody's."""
    write_workspace(tmp_path)
    file = tmp_path / "profiles.yml"
    for adapter, said in (
        ("snowflake", "pip install dbt-snowflake"),
        ("postgress", "Did you mean postgres?"),
        ("nothing_like_it", "Known adapters are: athena,"),
    ):
        file.write_text(f"shop: {{target: dev, outputs: {{dev: {{type: {adapter}}}}}}}\n")
        workspace = read_workspace(Options(project_dir=str(tmp_path), profiles_dir=str(tmp_path)))
        with pytest.raises(ConfigurationError) as caught:
            check_installation(workspace, find_dbt())
        assert said in caught.value.remedy
        assert ("pip install" in caught.value.remedy) == (adapter == "snowflake")
        assert caught.value.code == "selfheal-adapter-missing"


@pytest.mark.parametrize(
    ("environment", "flag", "expected"),
    [
        ({}, None, None),
        ({"NO_COLOR": "1"}, None, False),
        ({"NO_COLOR": ""}, None, None),
        ({"FORCE_COLOR": "1"}, None, True),
        ({"FORCE_COLOR": "0"}, None, None),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, None, False),
        ({"DBT_USE_COLORS": "false", "FORCE_COLOR": "1"}, None, False),
        ({"DBT_ENGINE_USE_COLORS": "true", "NO_COLOR": "1"}, None, True),
        ({"NO_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, None, False),
    ],
)
def test_colours_are_decided_as_dbt_and_rich_do(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], flag: bool | None, expected: bool | None
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "DBT_USE_COLORS", "DBT_ENGINE_USE_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wanted_colors(flag) is expected
    assert flag_in(["dbt", "--no-use-colors", "run"]) is False
    assert flag_in(["dbt", "run"]) is None


def test_long_lines_are_folded_and_commands_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    text = "Restore it from a backup, or begin anew with a new file: dbt-selfheal recreate --yes"
    assert wrapped(text, "  ") == (
        "Restore it from a backup, or begin anew with a new file:\n  dbt-selfheal recreate --yes"
    )
    names = "raw_customers_of_the_north raw_customers_of_the_south raw_customers_of_the_east"
    for command in (
        f"dbt build --select {names}",
        f"dbt build --vars '{{year: 2025, month: 3}}' --select {names}",
        f"dbt-selfheal ensure --select {names}",
    ):
        for said in (f"Build them with:\n  {command}", f"Or: {command}, then this.", f"Or ({command})"):
            assert any(command in line for line in wrapped(said, "    ").splitlines()), said
    assert max(map(len, wrapped(f"dbt run would fail: {names} are not there").splitlines())) <= 60
    monkeypatch.delenv("COLUMNS")
    assert wrapped(text, "  ") == text, "no terminal, no folding"


@given(st.text(min_size=6).filter(lambda text: MASK not in text and text.strip("*")), st.text(), st.text())
def test_a_secret_never_survives(secret: str, before: str, after: str) -> None:
    assert secret not in Scrubber({"password": secret})(f"{before}{secret}{after}").replace(MASK, "")


def test_which_values_are_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says is one, all that is within a key that is one, and nothing else."""
    monkeypatch.setenv("DBT_ENV_SECRET_KEY", "of the environment")
    monkeypatch.setenv("DBT_OTHER", "not a secret")
    key = "-----BEGIN KEY-----\n12345678\nabc/de+f g\n-----END KEY-----"
    output = {
        "tokens": ["first/one", {"name": "second one"}],
        "token": True,
        "password": "",
        "private_key": key,
    }
    scrub = Scrubber({**output, "secret": False, "user": "ada"})
    shown = scrub("of the environment, not a secret, True, False, ada, first/one, first%2Fone, second+one")
    assert shown == f"{MASK}, not a secret, True, False, ada, {MASK}, {MASK}, {MASK}"
    assert scrub("-----BEGIN KEY-----, 12345678, abc/de+f g") == f"-----BEGIN KEY-----, {MASK}, {MASK}"


def test_secrets_in_urls_and_connection_strings_are_found_where_they_stand_alone() -> None:
    host = "postgres://me:pl4nted%2Fword@nowhere.invalid"
    scrub = Scrubber({"host": host, "attach": [{"path": "ducklake:x password=pl4nted-token&y=1"}]})
    assert scrub("pl4nted/word or pl4nted%2Fword or pl4nted-token") == f"{MASK} or {MASK} or {MASK}"
    assert scrub("nowhere.invalid and ducklake") == "nowhere.invalid and ducklake"
    assert scrub(f"{host}/db password=x;") == f"postgres://me:{MASK}@nowhere.invalid/db password={MASK};"


def test_a_secret_of_several_lines_is_masked_line_by_line_and_in_json() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\nabc\n-----END PRIVATE KEY-----\n"
    scrub = Scrubber({"private_key": key})
    assert scrub("  MIIEvQIBADANBgkq") == f"  {MASK}"
    assert scrub(f"bad key: hkiG9w0BAQEFAASC, {json.dumps(key)}") == f'bad key: {MASK}, "{MASK}"'
    assert scrub("abc") == "abc"


def test_secrets_are_masked_where_they_stand_and_other_words_stay() -> None:
    scrub = Scrubber({"type": "postgres", "user": "dbt", "pass": "dbt", "secrets": [{"secret": "s3cr3t!"}]})
    assert scrub("dbt run, dbt_selfheal") == f"{MASK} run, dbt_selfheal"
    assert scrub("key s3cr3t! url postgresql://me:hunter2@host/db password=abc") == (
        f"key {MASK} url postgresql://me:{MASK}@host/db password={MASK}"
    )
    assert scrub("password authentication failed") == "password authentication failed"
    awkward = Scrubber({"encryption_key": 'k"e\\yö'})
    assert awkward.document({"sql": ['set k = "k"e\\yö"', 1]}) == {"sql": [f'set k = "{MASK}"', 1]}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("run -s a", "run"),
        ("--project-dir x run", "run"),
        ("--no-use-colors -t dev build", "build"),
        ("--version", None),
        ("--target=prod docs generate", "docs"),
    ],
)
def test_the_command_of_dbt_is_found(line: str, command: str | None) -> None:
    assert subcommand(line.split()) == command


def test_options_of_dbt_are_found_in_either_spelling() -> None:
    assert option_of(["run", "--target", "a"], "--target", "-t") == "a"
    assert option_of(["run", "-t", "b"], "--target", "-t") == "b"
    assert option_of(["run", "--target=c"], "--target", "-t") == "c"
    assert option_of(["run", "--target-path", "x"], "--target", "-t") is None


def test_only_commands_that_heal_are_supervised() -> None:
    assert heals(["run", "-s", "x"])
    assert heals(["run-operation", "ensure_initialized"])
    for line in (
        ["ls"],
        ["compile"],
        ["run", "--help"],
        ["docs", "generate"],
        ["run-operation", "other"],
        [],
    ):
        assert not heals(line)


def test_a_held_lock_names_its_holder_and_is_free_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with hold(path, 0):
        with pytest.raises(ConcurrentInitializationError) as caught, hold(path, 0):
            pass
        assert caught.value.lock_file == path
        assert re.search(r"process \d+ on \S+, since \d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$", str(caught.value))
    with hold(path, 0) as release:
        release()
        with hold(path, 0):
            pass
    assert path.exists(), "a lock file that is deleted can be held twice"


def test_whoever_may_write_to_a_folder_may_hold_the_lock_in_it(tmp_path: Path) -> None:
    """Whatever the umask says: another user of a folder that is shared could not take it else."""
    tmp_path.chmod(0o770)
    with hold(tmp_path / "x.lock", 0):
        assert (tmp_path / "x.lock").stat().st_mode & 0o777 == 0o660


@pytest.mark.parametrize(
    ("changes", "alive_seconds", "patience", "gave_up"),
    [
        (True, 60, 60, None),
        (False, 60, 60, "gave up after 1.2 s in which it showed no sign of life"),
        (False, 0.2, 60, None),
        (False, 0.2, 1.5, "gave up after 1.8 s (1.5 times the limit), though it is alive"),
    ],
)
def test_the_limit_of_who_waits_begins_anew_with_each_holder_and_each_sign_of_life(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: bool,
    alive_seconds: float,
    patience: float,
    gave_up: str | None,
) -> None:
    """The lock is held for 2.4 s, and the limit is 1.2 s: enough if another has taken it over in between."""
    monkeypatch.setattr(lock, "ALIVE_SECONDS", alive_seconds)
    monkeypatch.setattr(lock, "PATIENCE", patience)
    path, held = tmp_path / "x.lock", threading.Event()

    def holders() -> None:
        with hold(path, 0):
            held.set()
            time.sleep(1.0)
            if changes:
                path.write_text('{"pid": 4712, "host": "elsewhere", "started_at": "2026-01-01T00:00:00Z"}')
            time.sleep(1.0 if changes else 1.4)

    thread = threading.Thread(target=holders)
    thread.start()
    held.wait()
    try:
        if gave_up is None:
            with hold(path, 1.2):
                pass
        else:
            with pytest.raises(ConcurrentInitializationError) as caught, hold(path, 1.2):
                pass
            assert re.search(
                rf"process \d+ on \S+, since \d{{4}}-\S+Z; {re.escape(gave_up)}$", str(caught.value)
            )
    finally:
        thread.join()


def test_a_holder_that_has_not_said_who_it_is_is_given_up_in_time(tmp_path: Path) -> None:
    with FileLock(tmp_path / "x.lock"):
        started = time.monotonic()
        with pytest.raises(ConcurrentInitializationError) as caught, hold(tmp_path / "x.lock", 0.6):
            pass
        assert 0.3 <= time.monotonic() - started < 5
    assert str(caught.value) == (
        "another initialization is running: its process is not known; "
        "gave up after 0.6 s in which it showed no sign of life"
    )


def test_what_the_holder_before_has_written_into_a_lock_is_gone(tmp_path: Path) -> None:
    (tmp_path / "x.lock").write_text("{" * 1000)
    with hold(tmp_path / "x.lock", 0):
        assert str(os.getpid()) in str(holder(tmp_path / "x.lock"))


def test_a_sign_of_life_follows_no_link_and_survives_that_the_file_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "ALIVE_SECONDS", 0.05)
    path, other = tmp_path / "x.lock", tmp_path / "other"
    other.write_text("")
    os.utime(other, (1, 1))
    with hold(path, 0):
        path.unlink()
        time.sleep(0.3)
        path.symlink_to(other)
        os.utime(path, (1, 1), follow_symlinks=False)
        time.sleep(0.3)
        assert path.lstat().st_mtime > 1, "it still shows that it is alive"
    assert other.stat().st_mtime == 1


@pytest.mark.parametrize("stopped", [True, False])
def test_a_process_that_is_stopped_shows_no_sign_of_life(tmp_path: Path, stopped: bool) -> None:
    path = tmp_path / "x.lock"
    code = (
        "import sys; from pathlib import Path; from dbt_selfheal.workspace.lock import hold\n"
        "with hold(Path(sys.argv[1]), 0): print(1, flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        if stopped:
            process.send_signal(signal.SIGSTOP)
            with pytest.raises(ConcurrentInitializationError, match="no sign of life"), hold(path, 2):
                pass
        else:
            ends = threading.Timer(5, process.kill)
            ends.start()
            with hold(path, 2):
                pass
        process.kill()


def test_who_waits_for_a_database_file_in_vain_says_for_whom_and_how_long(tmp_path: Path) -> None:
    file, waited = tmp_path / "w.duckdb", list[str]()
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.readline()"
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(AnotherProcessError, match=rf"process {process.pid} .*, for 0.3 s at least"):
            wait_for_file(file, 0.3, waited.append)
        process.kill()
    assert len(waited) == 1
    assert waited[0].startswith(f"process {process.pid} ")
    wait_for_file(file, 0, waited.append)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"pid": 1}'])
def test_a_lock_file_with_other_content_has_an_unknown_holder(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.lock").write_text(content)
    assert holder(tmp_path / "x.lock") is None


def test_the_remaining_time_is_learnt_from_earlier_runs(tmp_path: Path) -> None:
    durations = Durations(tmp_path)
    assert durations.expected(["a", "b"]) is None
    durations.learn("a", 10.0)
    durations.learn("b", 2.0)
    durations.save()
    again = Durations(tmp_path)
    assert again.expected(["a", "b"]) == 12.0
    assert again.expected(["a", "b"], threads=4) == 3.0
    assert again.expected(["a", "b", "new"]) == 18.0
    assert again.expected([]) == 0.0


@pytest.mark.parametrize(
    "head",
    [
        "#!{python}\n",
        "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n",
        '#!/bin/sh\n\'\'\'exec\' "{python}" "$0" "$@"\n',
        "#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n",
    ],
)
def test_the_python_of_a_dbt_is_found_in_its_first_lines(tmp_path: Path, head: str) -> None:
    """As pip and uv write them: a path that is long or has spaces cannot stand in the first line."""
    python = "/home/ada/.venv/bin/python3"
    if '"{' in head or "'{" in head:
        python = "/home/ada/My python projects/.venv/bin/python3"
    command = tmp_path / "dbt"
    command.write_text(head.format(python=python) + "import sys\n")
    assert find_dbt(str(command)).python == python


def write_workspace(folder: Path) -> None:
    """Writes a project with paths from variables, and a profile with two targets and helpers of dbt."""
    (folder / "dbt_project.yml").write_text(
        "name: shop\nprofile: shop\nmodel-paths: [\"{{ env_var('SHOP_MODELS', 'models') }}\"]\n"
        "packages-install-path: \"{{ env_var('SHOP_PACKAGES', 'dbt_packages') }}\"\n"
    )
    (folder / "profiles.yml").write_text(
        "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: dev.duckdb}\n"
        "    prod: {type: duckdb, path: \"{{ modules.re.sub('[^a-z]', '', 'P-prod') }}.duckdb\"}\n"
    )


def test_the_workspace_is_that_of_dbts_own_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workspace(tmp_path)
    options = Options(project_dir=str(tmp_path))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    assert read_workspace(options).target == "dev"
    monkeypatch.setenv("DBT_TARGET", "nowhere")
    monkeypatch.setenv("DBT_ENGINE_TARGET", "prod")
    found = read_workspace(options)
    assert found.target == "prod", "dbt 1.11 prefers the newer name"
    assert found.output["path"] == "prod.duckdb"


def test_paths_of_the_project_are_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_workspace(tmp_path)
    monkeypatch.setenv("SHOP_PACKAGES", "vendor")
    found = read_workspace(Options(project_dir=str(tmp_path), profiles_dir=str(tmp_path)))
    assert found.packages_folder == tmp_path / "vendor"
    assert found.project["model-paths"] == ["models"]


def test_whatever_a_template_raises_is_an_error_that_names_the_place() -> None:
    with pytest.raises(ConfigurationError, match=r"the template in profiles\.yml: shop is wrong"):
        render("{{ 1 + 'a' }}", {}, "profiles.yml: shop")


def test_each_form_of_a_secret_is_masked_whole() -> None:
    """In a URL `/` may be `%2F`, and a blank `%20` or `+`; a form may begin with another."""
    scrub = Scrubber({"password": "abc/def ghi"})
    for form in ("abc/def ghi", "abc%2Fdef%20ghi", "abc%2Fdef+ghi"):
        assert scrub(f"<{form}>") == f"<{MASK}>"
    assert Scrubber({"password": "abcdef%"})("<abcdef%25>") == f"<{MASK}>"
