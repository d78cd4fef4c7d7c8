"""What is measured: each case makes its projects, compares contenders and keeps their samples."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import projects
from measure import (
    Contender,
    Samples,
    alternate,
    healing_seconds,
    hook_seconds,
    node_seconds,
    plan_seconds,
    printed_seconds,
    run,
    seed_seconds,
)

BIN = Path(sys.executable).parent
DBT = BIN / "dbt"
SELFHEAL = BIN / "dbt-selfheal"
Command = Sequence[str | Path]
OFF = {"DBT_SELFHEAL_ENABLED": "false"}
LATENCY = 0.05  # seconds


class Bench:
    """One run: where it works, how thoroughly, and what it has found.

    Args:
        folder: For projects and databases.
        pairs: How many rounds count.
        quick: Leave out what takes long.
        tell: Is told what happens.
        keep: Takes what each comparison has found, by its key.
    """

    def __init__(
        self,
        folder: Path,
        pairs: int,
        *,
        quick: bool,
        tell: Callable[[str], None],
        keep: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self.folder = folder
        self.pairs = pairs
        self.quick = quick
        self.tell = tell
        self.keep = keep

    def compare(
        self,
        key: str,
        title: str,
        contenders: Iterable[Contender],
        *,
        minutes: bool = False,
        rounds: int | None = None,
    ) -> dict[str, Samples]:
        """Measures contenders in turn and keeps their samples under a key.

        Args:
            key: Under which they are kept.
            title: What is compared.
            contenders: Measured in turn.
            minutes: Whether a round takes minutes, so that none is spent on warming up.
            rounds: How many count, if not as many as of all.

        Returns:
            The samples of each contender by its name.
        """
        self.tell(f"{key}: {title}")
        rounds = rounds or self.pairs
        samples = alternate(list(contenders), rounds, self.tell, warm_up=not self.quick and not minutes)
        self.keep(key, {"title": title, "quick": self.quick, "pairs": rounds, "samples": samples})
        return samples


def warm(bench: Bench) -> None:
    """With nothing missing: one leaf, with and without the package."""
    for nodes in (1000,) if bench.quick else (10, 100, 1000, 5000):
        contenders = []
        for name in ("with", "without"):
            files = projects.models("layered", nodes, ends=2)
            folder = projects.make(bench.folder / f"warm-{nodes}-{name}", files, package=name == "with")
            projects.pretend_built(folder, files)
            run(folder, DBT, "run", "--select", "leaf")
            contenders.append(Contender(name, [[DBT, "run", "--select", "leaf"]], folder))
        bench.compare(f"warm-{nodes}", f"`dbt run -s leaf`, nothing missing, {nodes:,} nodes", contenders)


def workforce(bench: Bench) -> None:
    """The hook by itself, in the example workspace with nothing missing: on and off."""
    folder = projects.workforce(bench.folder / "workforce")
    command: Command = [DBT, "run", "--select", "fct_contributions"]
    run(folder, *command)
    contenders = [
        Contender("hook on", [command], folder, inner=hook_seconds),
        Contender("hook off", [command], folder, variables=OFF, inner=hook_seconds),
    ]
    bench.compare(
        "workforce", "`dbt run -s fct_contributions` in the workforce workspace, nothing missing", contenders
    )


def everything(bench: Bench) -> None:
    """With nothing missing: `dbt build` of a whole project, with and without the package."""
    contenders = []
    for name in ("with", "without"):
        files = projects.models("layered", 100)
        folder = projects.make(bench.folder / f"build-{name}", files, package=name == "with")
        run(folder, DBT, "build")
        contenders.append(Contender(name, [[DBT, "build"]], folder))
    bench.compare("build-100", "`dbt build`, nothing missing, 100 nodes", contenders)


def cold(bench: Bench) -> None:
    """From an empty workspace to a finished leaf: five seeds, six foundation models, one leaf."""
    folder = projects.make(bench.folder / "cold", projects.foundation())
    run(folder, DBT, "parse")

    def contender(name: str, *commands: list[str | Path], off: bool = True) -> Contender:
        variables = {"PATH": f"{BIN}:/usr/bin:/bin", **(OFF if off else {})}
        return Contender(name, commands, folder, lambda: projects.clear(folder), variables)

    bench.compare(
        "cold",
        "an empty workspace to a finished leaf, 5 seeds and 6 models above it",
        [
            contender("dbt run -s leaf, healing", [DBT, "run", "-s", "leaf"], off=False),
            contender("dbt-selfheal exec", [SELFHEAL, "exec", "--", "dbt", "run", "-s", "leaf"], off=False),
            contender("dbt build -s +leaf", [DBT, "build", "-s", "+leaf"]),
            contender(
                "three processes",
                [DBT, "seed", "--full-refresh"],
                [DBT, "run", "--select", "tag:foundation"],
                [DBT, "run", "-s", "leaf"],
            ),
        ],
    )


def plan(bench: Bench) -> None:
    """The plan alone, everything missing; five plans in one process, of which the median counts."""

    if bench.quick:
        shapes: dict[str, tuple[int, ...]] = {"layered": (100, 1000)}
    else:
        shapes = dict.fromkeys(("layered", "chain", "fan"), (10, 100, 1000, 10_000))
    for shape, sizes in shapes.items():
        contenders = []
        for nodes in sizes:
            files = {**projects.models(shape, nodes), "macros/time_plan.sql": projects.TIME_PLAN}
            folder = projects.make(bench.folder / f"plan-{shape}-{nodes}", files)
            run(folder, DBT, "parse")
            command: Command = [DBT, "run-operation", "time_plan", "--args", json.dumps({"select": ["leaf"]})]
            contenders.append(Contender(f"{nodes}", [command], folder, inner=plan_seconds))
        key = f"plan-{shape}-quick" if bench.quick else f"plan-{shape}"
        bench.compare(key, f"the plan alone, by nodes, {shape}, everything missing", contenders)


def heal(bench: Bench) -> None:
    """100 missing tables: healed in the hook, built by dbt itself, and by the wrapper in parallel."""
    _heal(bench, 100)


def heal_1000(bench: Bench) -> None:
    """The same with 1,000."""
    _heal(bench, 1000)


def _heal(bench: Bench, nodes: int) -> None:
    files = projects.models("layered", nodes + 1, tables=True)
    folder = projects.make(bench.folder / f"heal-{nodes}", files, heals=True)
    run(folder, DBT, "parse")

    def clear() -> None:
        projects.clear(folder)

    contenders = [
        Contender("hook", [[DBT, "run", "-s", "leaf"]], folder, clear, inner=healing_seconds),
        Contender("dbt build --threads 1", [[DBT, "build", "--threads", "1"]], folder, clear, OFF),
    ]
    variables = {"PATH": f"{BIN}:/usr/bin:/bin"}
    for threads in () if bench.quick else ("1", "4", "8"):
        ensure: Command = [SELFHEAL, "ensure", "--timeout", "36000", "--threads", threads]
        native = Contender(f"dbt-selfheal ensure --threads {threads}", [ensure], folder, clear, variables)
        contenders.insert(1, native)
    bench.compare(f"heal-{nodes}", f"{nodes:,} missing tables", contenders, minutes=nodes >= 1000)


def latency(bench: Bench) -> None:
    """50 and 100 missing tables on a PostgreSQL that is 50 ms away: the round trips."""
    from proxy import DelayingProxy
    from support import PostgresDatabase, PostgresServer

    server = PostgresServer()
    proxy = DelayingProxy(server.folder / f".s.PGSQL.{server.port}", LATENCY)
    try:
        for nodes in (50, 100):
            database = PostgresDatabase(server)
            output = {**database.profile(), "host": "127.0.0.1", "port": proxy.port, "threads": 1}
            files = projects.models("layered", nodes + 1, tables=True)
            folder = projects.make(bench.folder / f"latency-{nodes}", files, heals=True, output=output)
            run(folder, DBT, "parse")
            clear = functools.partial(
                database.execute, f"drop schema if exists {database.default_schema} cascade"
            )
            commands = {"hook": ["run", "-s", "leaf"], "dbt build --threads 1": ["build", "--threads", "1"]}
            contenders = [
                Contender(
                    name,
                    [[DBT, *command]],
                    folder,
                    clear,
                    {} if name == "hook" else OFF,
                    trips=lambda: proxy.round_trips,
                )
                for name, command in commands.items()
            ]
            title = f"{nodes} missing tables, PostgreSQL {LATENCY * 1000:.0f} ms away"
            bench.compare(f"latency-{nodes}", title, contenders, minutes=True, rounds=1)
    finally:
        proxy.close()
        server.close()


def scale(bench: Bench) -> None:
    """500 missing of 5,000 nodes, in 50 layers; and a leaf over 2,000 missing parents. One round."""
    _scale(bench, "layered", 5000, 500)
    _scale(bench, "fan", 2001, 2000)


def scale_20000(bench: Bench) -> None:
    """2,000 missing of 20,000 nodes, which takes `dbt build` 35 minutes: only when asked for by name."""
    _scale(bench, "layered", 20_000, 2000)


def _scale(bench: Bench, shape: str, nodes: int, missing: int) -> None:
    files = projects.models(shape, nodes, tables=True)
    names = list(files)[-missing - 1 :]
    for name in names:
        files[name] = files[name].replace("materialized='table'", "materialized='table', tags=['missing']")
    folder = projects.make(bench.folder / f"scale-{shape}", files, heals=True)
    run(folder, DBT, "parse")
    there = {name: code for name, code in files.items() if name not in names}
    clear = functools.partial(projects.pretend_built, folder, there)
    build: Command = [DBT, "build", "-s", "tag:missing", "--threads", "1"]
    bench.compare(
        f"scale-{shape}-{missing}",
        f"{missing:,} missing tables among {nodes:,} nodes"
        + (", all read by one leaf" if shape == "fan" else ""),
        [
            Contender("hook", [[DBT, "run", "-s", "leaf"]], folder, clear, inner=healing_seconds),
            Contender("dbt build --threads 1", [build], folder, clear, OFF),
        ],
        minutes=True,
        rounds=1,
    )


def seeds(bench: Bench) -> None:
    """One seed: healed, and loaded by `dbt seed`, on each database."""
    sizes = [("duckdb", 100_000, False)]
    if not bench.quick:
        sizes += [("postgres", 10_000, False)]
        sizes += [(name, 1000, False) for name in ("duckdb", "postgres", "sqlite")]
        sizes += [("duckdb", 100_000, True), ("postgres", 10_000, True), ("sqlite", 10_000, True)]
    _seeds(bench, sizes)


def seeds_large(bench: Bench) -> None:
    """The same with the numbers of rows that take minutes."""
    sizes = [("duckdb", 1_000_000, False), ("postgres", 100_000, False)]
    if not bench.quick:
        sizes += [("duckdb", 1_000_000, True)]
    _seeds(bench, sizes, minutes=True)


def seeds_million(bench: Bench) -> None:
    """The same where `dbt seed` takes up to an hour: only when asked for by name."""
    sizes = [("sqlite", 100_000, False), ("postgres", 100_000, True), ("sqlite", 100_000, True)]
    sizes += [(name, 1_000_000, wide) for name in ("postgres", "sqlite") for wide in (False, True)]
    _seeds(bench, sizes, minutes=True)


def _seeds(bench: Bench, sizes: Iterable[tuple[str, int, bool]], *, minutes: bool = False) -> None:
    from support import PostgresDatabase, PostgresServer

    server = PostgresServer()
    try:
        for adapter, rows, wide in sizes:
            folder = bench.folder / f"seed-{adapter}-{rows}-{'wide' if wide else 'narrow'}"
            dbt = DBT
            output: dict[str, Any] | None = None
            clear: Callable[[], object] = (lambda place: lambda: projects.clear(place))(folder)
            if adapter == "postgres":
                database = PostgresDatabase(server)
                output = {**database.profile(), "threads": 1}
                clear = (lambda place: lambda: place.execute("drop table if exists big"))(database)
            elif adapter == "sqlite":
                dbt = projects.ROOT / ".venv" / "sqlite" / "bin" / "dbt"
                if not dbt.exists():
                    bench.tell("seeds on SQLite: left out (no environment sqlite)")
                    continue
                paths = {"main": str(folder / "warehouse.sqlite")}
                output = {"type": "sqlite", "database": "main", "schema": "main", "threads": 1}
                output |= {"schemas_and_paths": paths, "schema_directory": str(folder)}
            projects.make(folder, {}, heals=True, output=output)
            projects.write_seed(folder / "seeds" / "big.csv", rows, wide=wide)
            run(folder, dbt, "parse")
            select = json.dumps({"select": ["big"]})
            operation: Command = [dbt, "run-operation", "ensure_initialized", "--args", select]
            key = folder.name
            bench.compare(
                key,
                f"a seed of {rows:,} rows, {20 if wide else 4} columns, {adapter}",
                [
                    Contender("healed", [operation], folder, clear, inner=seed_seconds),
                    Contender("dbt seed", [[dbt, "seed"]], folder, clear, OFF, inner=node_seconds),
                ],
                minutes=minutes,
            )
    finally:
        server.close()


def wrapper(bench: Bench) -> None:
    """The command and the Python API in a ready workspace, beside a bare catalog query."""
    files = {"seeds/s.csv": "id\n1\n2\n", "models/leaf.sql": "select * from {{ ref('s') }}\n"}
    folder = projects.make(bench.folder / "wrapper", files)
    variables = {"PATH": f"{BIN}:/usr/bin:/bin"}
    run(folder, SELFHEAL, "ensure", **variables)
    ensure: Command = [SELFHEAL, "ensure"]
    call: list[str | Path] = [sys.executable, Path(__file__).with_name("warm_call.py")]
    bench.compare(
        "wrapper",
        "the command and the API, nothing missing",
        [
            Contender("ensure, to its first line", [ensure], folder, variables=variables, until_line=True),
            Contender("ensure, warm", [ensure], folder, variables=variables),
            Contender("API call, warm", [[*call, "api"]], folder, variables=variables, inner=printed_seconds),
            Contender("bare catalog query", [[*call, "bare"]], folder, inner=printed_seconds),
            Contender("python -c pass", [[sys.executable, "-c", "pass"]], folder),
        ],
    )


def concurrent(bench: Bench) -> None:
    """Eight `ensure` at once on an empty workspace: all succeed, and each relation is built exactly once."""
    files = {"seeds/s.csv": "id\n1\n2\n", "models/leaf.sql": "select * from {{ ref('s') }}\n"}
    folder = projects.make(bench.folder / "concurrent", files)
    command = [sys.executable, str(Path(__file__).with_name("at_once.py")), str(SELFHEAL)]

    def empty() -> None:
        projects.clear(folder)

    contenders = [
        Contender(
            f"{count} at once", [[*command, str(count)]], folder, empty, {"PATH": f"{BIN}:/usr/bin:/bin"}
        )
        for count in (1, 8)
    ]
    bench.compare("concurrent", "`dbt-selfheal ensure`, several at once on an empty workspace", contenders)


def engine(bench: Bench) -> None:
    """dbt v2: a leaf with nothing missing, with the package and without; 1,000 models healed, beside v1."""
    place = projects.ROOT / ".venv" / "dbt-2"
    variables = {"XDG_CACHE_HOME": str(place / "cache"), "DBT_ALLOW_EXPERIMENTAL_ADAPTERS": "true"}
    variables["PATH"] = f"{place / 'bin'}:/usr/bin:/bin"
    dbt, files = place / "bin" / "dbt", projects.models("layered", 10, ends=2)
    contenders = []
    for name in ("with", "without"):
        folder = projects.make(bench.folder / f"engine-{name}", files, package=name == "with")
        run(folder, dbt, "build", **variables)
        command: Command = [dbt, "run", "--select", "leaf"]
        contenders.append(Contender(name, [command], folder, variables=variables))
    bench.compare("engine-warm", "`dbt run -s leaf` on dbt v2, nothing missing, 10 models", contenders)
    if bench.quick:
        return
    folder = projects.make(bench.folder / "engine-heal", projects.models("layered", 1000), heals=True)
    words = ("exec", "--timeout", "36000", "--", "dbt", "run", "-s", "leaf")
    first = {"PATH": f"{BIN}:/usr/bin:/bin"}
    contenders = [
        Contender(name, [[selfheal, *words]], folder, lambda: projects.clear(folder), its)
        for name, selfheal, its in (
            ("dbt v2", place / "bin" / "dbt-selfheal", variables),
            ("dbt v1", SELFHEAL, first),
        )
    ]
    bench.compare(
        "engine-heal", "`exec -- dbt run -s leaf`, 999 of 1,000 models missing", contenders, minutes=True
    )


CASES = {
    case.__name__: case
    for case in (
        warm,
        workforce,
        everything,
        cold,
        plan,
        heal,
        heal_1000,
        latency,
        scale,
        scale_20000,
        seeds,
        seeds_large,
        seeds_million,
        wrapper,
        concurrent,
        engine,
    )
}
BY_NAME = ("scale_20000", "seeds_million", "engine")  # only when asked for
WHOLE = [name for name in CASES if name not in BY_NAME]
QUICK = ["warm", "workforce", "cold", "plan", "heal", "latency", "seeds", "wrapper"]
