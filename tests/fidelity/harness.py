"""Put a test-bed project together, build it the plain way, and read what came out.

    python tests/fidelity/harness.py build --dbt /tmp/venvs/d111/bin/dbt --out /tmp/left
    python tests/fidelity/harness.py twice --dbt /tmp/venvs/d111/bin/dbt --out /tmp/twice
    python tests/fidelity/harness.py twice --dbt .../dbt --adapter postgres --postgres postgresql://...

``build`` leaves under ``--out``: ``project/`` (assembled, with its packages), ``db/`` (DuckDB's databases),
``external/`` (files that models write), ``snapshot.json``. ``twice`` makes two of them and compares.
A test that heals uses ``assemble``, ``prepare`` and ``read``, and runs its own dbt commands in between.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from catalog import Snapshot, compared, differences, load, save, snapshot
from ignores import IGNORES

PROJECTS = Path(__file__).parent / "projects"
SCHEMA = "bed"
#: The schema of the target, where it is not SCHEMA: SQLite's own database is always called main.
_SCHEMAS = {"sqlite": "main"}
#: What a runner gets: dbt's arguments, the folder, and the bed's own environment variables.
Runner = Callable[[Sequence[str], Path, Mapping[str, str]], "subprocess.CompletedProcess[str]"]
#: What every dbt command of a test-bed is given; a healing run must be given the same.
CLI_VARS = json.dumps({"cli_word": "from_cli", "cli_scoped": "from_cli", "cli_only": "{{ 'not' }} rendered"})
_BIG_SEED_ROWS = 10_050
#: Relations that a node makes beside its own: by a hook (a prefix of the name), or by its materialization.
_COMPANION_PREFIXES = ("hooks_", "atlas_log_")
_COMPANIONS = {
    "bed.mat_from_package_beside": "bed.mat_from_package",
    "bed.made_by_pre_hook": "bed.hk_pre_makes_input",
}


@dataclass(frozen=True)
class Bed:
    """One assembled project with its database."""

    root: Path
    project: str
    adapter: str
    dbt: str
    version: tuple[int, int]
    #: libpq connection arguments (``host``, ``port``, ``user``, ``password``, ``dbname``), for PostgreSQL
    postgres: Mapping[str, Any]
    #: runs dbt instead of a process of ``dbt`` (the tests' fork server)
    runner: Runner | None = None

    @property
    def project_dir(self) -> Path:
        return self.root / "project"

    @property
    def database(self) -> Path:
        return self.root / "db" / "testbed.duckdb"

    def variables(self) -> dict[str, str]:
        """What every dbt command finds in its environment beside the surrounding variables."""
        return {
            "DBT_PROFILES_DIR": str(self.project_dir),
            "DBT_PROJECT_DIR": str(self.project_dir),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "TESTBED_WORD": "word of the environment",
            "TESTBED_DATA": str(self.project_dir / "setup"),
            "TESTBED_EXTERNAL": str(self.root / "external"),
            "DBT_ENV_SECRET_TESTBED_PASSWORD": str(self.postgres.get("password") or ""),
        }

    def env(self) -> dict[str, str]:
        """The environment of every dbt command."""
        return {**os.environ, **self.variables()}

    def run(
        self, *args: str, check: bool = True, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one dbt command in the project; RuntimeError with dbt's own words if it fails."""
        command = list(args)
        if args[0] != "deps":
            command += ["--vars", CLI_VARS]
        if self.runner is not None:
            done = self.runner(command, self.project_dir, {**self.variables(), **(env or {})})
        else:
            done = subprocess.run(
                [self.dbt, *command],
                cwd=self.project_dir,
                env={**self.env(), **(env or {})},
                capture_output=True,
                text=True,
                check=False,
            )
        if check and done.returncode:
            raise RuntimeError(
                f"dbt {' '.join(command)} in {self.project_dir}\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
            )
        return done

    def plain_build(self) -> None:
        """Build everything as a user without healing does.

        Three commands, not one: some nodes are read as sources, so the graph has no edge that would bring
        them first. Seeds, then what is tagged early, then the rest.
        """
        self.run("seed")
        if self.project == "testbed":
            self.run("build", "--select", "tag:early", "--exclude", "resource_type:test")
        self.run("build", "--exclude", "resource_type:seed", "tag:early")

    def read(self) -> Snapshot:
        """The facts of the database, free of this bed's own directory."""
        replace = {str(self.root): "<root>"}
        if self.adapter == "duckdb":
            attach = {"aux": str(self.root / "db" / "aux.duckdb")}
            return snapshot("duckdb", {"path": str(self.database), "attach": attach, "replace": replace})
        if self.adapter == "sqlite":
            files = {path.stem: str(path) for path in sorted((self.root / "db").glob("*.db"))}
            return snapshot("sqlite", {"path": files.pop("main"), "attach": files, "replace": replace})
        if self.adapter == "spark":
            return self._read_spark()
        return snapshot("postgres", {**self.postgres, "replace": replace})

    def _read_spark(self) -> Snapshot:
        """The facts of the metastore, read by a process of dbt's own environment, which has Spark."""
        answer = self.root / "answer.json"
        request = json.dumps({"settings": spark_settings(self.root / "db"), "answer": str(answer)})
        python, script = Path(self.dbt).parent / "python", Path(__file__).with_name("spark_read.py")
        command = [str(python), str(script), request]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Spark cannot be read:\n{done.stderr[-3000:]}")
        return load(answer)


def dbt_version(dbt: str, adapter: str) -> tuple[int, int]:
    """Major and minor version of dbt-core or of the adapter, whichever is older."""
    output = subprocess.run([dbt, "--version"], capture_output=True, text=True, check=True).stdout
    core = re.search(r"installed:\s*(\d+)\.(\d+)", output)
    plugin = re.search(rf"- {adapter}:\s*(\d+)\.(\d+)", output)
    if core is None or plugin is None:
        raise RuntimeError(f"cannot read the versions of dbt and {adapter} behind {dbt}:\n{output}")
    return min((int(core[1]), int(core[2])), (int(plugin[1]), int(plugin[2])))


def overlays(project: str, version: tuple[int, int]) -> list[Path]:
    """The folders laid over a project for this version, the oldest first (``testbed_1_9``, ``_1_11``)."""
    found = []
    for path in PROJECTS.glob(f"{project}_1_*"):
        minor = int(path.name.rsplit("_", 1)[1])
        if (1, minor) <= version:
            found.append((minor, path))
    return [path for _, path in sorted(found)]


def assemble(
    root: Path,
    dbt: str,
    adapter: str = "duckdb",
    project: str = "testbed",
    postgres: Mapping[str, Any] | None = None,
    packages: Sequence[Path] = (),
    threads: int = 1,
    version: tuple[int, int] | None = None,
    runner: Runner | None = None,
) -> Bed:
    """Copy the project and its overlays to ``root`` and install its packages.

    ``packages`` are further local packages (dbt_selfheal itself). ``root`` must not exist or be empty.
    ``version`` is what ``dbt_version`` returns, if known; ``runner`` runs dbt in place of a process.
    """
    version = version or dbt_version(dbt, adapter)
    bed = Bed(root.resolve(), project, adapter, dbt, version, dict(postgres or {}), runner)
    ignored = shutil.ignore_patterns("target", "logs", "dbt_packages", "package-lock.yml")
    for source in [PROJECTS / project, *overlays(project, bed.version)]:
        shutil.copytree(source, bed.project_dir, ignore=ignored, dirs_exist_ok=True)
    for folder in ("db", "external"):
        (bed.root / folder).mkdir(parents=True, exist_ok=True)
    (bed.project_dir / "profiles.yml").write_text(_profile(bed, threads))
    if project == "testbed":
        seed = bed.project_dir / "seeds" / "seed_big.csv"
        rows = (f"{n},row {n},{n * 7 % 1000 / 10}" for n in range(_BIG_SEED_ROWS))
        seed.write_text("id,label,value\n" + "\n".join(rows) + "\n")
    listed = bed.project_dir / "packages.yml"
    text = listed.read_text() if listed.exists() else "packages:\n"
    text += "".join(f"  - local: {json.dumps(str(package.resolve()))}\n" for package in packages)
    if text != "packages:\n":
        listed.write_text(text)
        bed.run("deps")
    return bed


def _profile(bed: Bed, threads: int) -> str:
    if bed.adapter == "duckdb":
        output: dict[str, Any] = {
            "type": "duckdb",
            "path": str(bed.database),
            "attach": [{"path": str(bed.root / "db" / "aux.duckdb"), "alias": "aux"}],
            "external_root": str(bed.root / "external"),
        }
    elif bed.adapter == "sqlite":
        folder = bed.root / "db"
        output = {
            "type": "sqlite",
            "database": "database",
            "schemas_and_paths": {"main": str(folder / "main.db")},
            "schema_directory": str(folder),
        }
    elif bed.adapter == "spark":
        output = {
            "type": "spark",
            "method": "session",
            "host": "localhost",
            "server_side_parameters": spark_settings(bed.root / "db"),
        }
    else:
        output = {
            "type": "postgres",
            "host": bed.postgres["host"],
            "port": int(bed.postgres.get("port") or 5432),
            "user": bed.postgres["user"],
            "password": "{{ env_var('DBT_ENV_SECRET_TESTBED_PASSWORD') }}",
            "dbname": bed.postgres["dbname"],
        }
    output.update(schema=_SCHEMAS.get(bed.adapter, SCHEMA), threads=threads)
    return json.dumps({"testbed": {"target": "dev", "outputs": {"dev": output}}}, indent=2)


def spark_settings(folder: Path) -> dict[str, str]:
    """Settings of an embedded Spark whose metastore and warehouse are in ``folder``."""
    # Java lives for seconds here: the simple compiler and collector, and no syncing of the metastore.
    java = f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dderby.system.home={folder}"
    metastore = f"jdbc:derby:;databaseName={folder}/metastore;create=true"
    return {
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": metastore,
        "spark.driver.extraJavaOptions": f"{java} -Dderby.system.durability=test",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
    }


def prepare(bed: Bed) -> None:
    """Make the database afresh: empty but for what ``setup/<adapter>.sql`` makes."""
    script = bed.project_dir / "setup" / f"{bed.adapter}.sql"
    sql = script.read_text() if script.exists() else ""
    for folder in ("db", "external"):
        shutil.rmtree(bed.root / folder)
        (bed.root / folder).mkdir()
    if bed.adapter == "duckdb":
        import duckdb

        connection = duckdb.connect(str(bed.database))
        connection.execute(f"attach '{bed.root / 'db' / 'aux.duckdb'}' as aux")
        connection.execute(sql)
        connection.close()
        return
    if bed.adapter == "sqlite":
        import sqlite3

        files = sqlite3.connect(bed.root / "db" / "main.db")
        files.executescript(sql)
        files.close()
    if bed.adapter in ("sqlite", "spark"):
        return
    import psycopg2

    name = bed.postgres["dbname"]
    admin = psycopg2.connect(**{**bed.postgres, "dbname": "postgres"})
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f'drop database if exists "{name}" with (force)')
        cursor.execute(f"""create database "{name}" encoding 'UTF8' template template0""")
    admin.close()
    if sql:
        own = psycopg2.connect(**bed.postgres)
        own.autocommit = True
        with own.cursor() as cursor:
            cursor.execute(sql)
        own.close()


def build(
    root: Path,
    dbt: str,
    adapter: str = "duckdb",
    project: str = "testbed",
    postgres: Mapping[str, Any] | None = None,
    version: tuple[int, int] | None = None,
    runner: Runner | None = None,
) -> Snapshot:
    """Assemble, build the plain way, and return (and keep) the facts."""
    bed = assemble(root, dbt, adapter, project, postgres, version=version, runner=runner)
    prepare(bed)
    bed.plain_build()
    facts = bed.read()
    save(facts, root / "snapshot.json")
    if left_out := beyond_the_leaves(bed):
        raise RuntimeError(f"no leaf has these above it: {', '.join(left_out)}")
    return facts


def beyond_the_leaves(bed: Bed) -> list[str]:
    """The seeds, snapshots, models and functions that no ``leaf_*`` model and no test has above it.

    A test-bed wants none: healing from every leaf then reaches every node. Edges that the graph lacks (a seed
    that is read as a source) are followed by the name of the relation. Needs ``target/manifest.json``.
    """
    manifest = json.loads((bed.project_dir / "target" / "manifest.json").read_text())
    nodes = {**manifest["nodes"], **manifest.get("functions", {})}
    made = {
        (node["schema"], node["alias"]): key
        for key, node in nodes.items()
        if node["resource_type"] in ("seed", "snapshot", "model")
    }
    wanted = [
        key
        for key, node in nodes.items()
        if node["resource_type"] == "test" or node["name"].startswith("leaf_")
    ]
    reached = set(wanted)
    while wanted:
        for parent in nodes[wanted.pop()].get("depends_on", {}).get("nodes", []):
            if parent in manifest["sources"]:
                source = manifest["sources"][parent]
                parent = made.get((source["schema"], source["identifier"]), "")
            if parent in nodes and parent not in reached:
                reached.add(parent)
                wanted.append(parent)
    kinds = ("seed", "snapshot", "model", "function")
    return sorted(key for key, node in nodes.items() if node["resource_type"] in kinds and key not in reached)


def lost_companions(plain: Snapshot, healed: Snapshot) -> list[str]:
    """What the nodes of ``healed`` should have made in passing: in ``plain`` and not in ``healed``.

    ``differences(..., partial=True)`` cannot see a hook that never ran: the table it logs into is absent.
    """
    lost = []
    for name in sorted({*plain} - {*healed}):
        schema, _, relation = name.rpartition(".")
        prefixes = [prefix for prefix in _COMPANION_PREFIXES if relation.startswith(prefix)]
        owners = [
            _COMPANIONS.get(name),
            *(f"{schema}.{relation.removeprefix(prefix)}" for prefix in prefixes),
        ]
        if any(owner in healed for owner in owners):
            lost.append(name)
    return lost


def _postgres_args(address: str | None) -> dict[str, Any]:
    if address is None:
        return {}
    from psycopg2.extensions import parse_dsn

    found: dict[str, Any] = parse_dsn(address)
    found["dbname"] = "testbed_fidelity"
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Command line: see the top of the file."""
    parser = argparse.ArgumentParser(description="Build a test-bed the plain way.")
    parser.add_argument("command", choices=["build", "twice"])
    parser.add_argument("--dbt", default="dbt", help="the dbt executable")
    parser.add_argument("--adapter", default="duckdb", choices=["duckdb", "postgres", "sqlite", "spark"])
    parser.add_argument("--project", default="testbed")
    parser.add_argument(
        "--postgres", help="address of a PostgreSQL server (postgresql://user@/postgres?host=...)"
    )
    parser.add_argument("--out", type=Path, required=True, help="a directory that is made anew")
    options = parser.parse_args(argv)
    if options.out.exists():
        shutil.rmtree(options.out)
    postgres = _postgres_args(options.postgres)
    arguments = (options.dbt, options.adapter, options.project, postgres)
    if options.command == "build":
        facts = build(options.out, *arguments)
        print(f"{len(facts)} relations, functions, sequences and types")
        return 0
    left, right = (build(options.out / side, *arguments) for side in ("left", "right"))
    found = differences(left, right, IGNORES)
    for difference in found:
        print(difference)
    total = compared(left, right)
    print(f"{total - len({difference.relation for difference in found})} of {total} relations equal")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
