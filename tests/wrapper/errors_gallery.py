"""Situations in which each error of the catalogue really happens on DuckDB; shown in docs/errors.md."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from support import DbtProject

Around = Callable[[DbtProject], AbstractContextManager[object]]
ENSURE = "dbt-selfheal ensure"


@dataclass(frozen=True)
class Situation:
    """A state of a real workspace, and the command that meets it.

    Attributes:
        command: The command.
        files: What is written into the project, over the usual five nodes.
        settings: What is under vars.dbt_selfheal.
        profile: Changes of the target in profiles.yml.
        profiles: The whole of profiles.yml while the command runs; empty for the usual one.
        before: Commands that come before, such as `dbt-selfheal ensure`.
        sql: Statements that come after these.
        around: What holds while the command runs.
        environment: Environment variables of the command.
        both: Whether the second package is installed.
        story: What readers are told, beside files and settings.
    """

    command: str = ENSURE
    files: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    profiles: str = ""
    before: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    around: Around = nullcontext
    environment: Mapping[str, str] = field(default_factory=dict)
    both: bool = False
    story: str = ""

    @property
    def bare(self) -> str:
        """The command in dbt alone, the option --no-use-colors apart."""
        return self.command.partition(" exec -- ")[2] or "dbt run --select report"


def database_file(project: DbtProject) -> Path:
    """Returns the file of a project's database."""
    return project.folder / "warehouse.duckdb"


@contextmanager
def opened_elsewhere(project: DbtProject) -> Iterator[None]:
    """Another process has the database file open."""
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(database_file(project))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield  # leaving closes its standard input, which ends it


@contextmanager
def lock_held(project: DbtProject) -> Iterator[None]:
    """Another initialization holds the lock."""
    from dbt_selfheal.workspace.lock import hold

    with hold(Path(f"{database_file(project)}.selfheal.lock"), 0):
        yield


@contextmanager
def damaged(project: DbtProject) -> Iterator[None]:
    """The database file is something else."""
    database_file(project).write_bytes(b"no database " * 2000)
    yield


@contextmanager
def newer(project: DbtProject) -> Iterator[None]:
    """A DuckDB that does not exist yet has written the file."""
    file = database_file(project)
    duckdb.connect(str(file)).close()
    content = bytearray(file.read_bytes())
    content[12:14] = (9999).to_bytes(2, "little")  # the version of the storage format
    file.write_bytes(content)
    try:
        duckdb.connect(str(file))
    except duckdb.Error as error:
        checksum = re.search(r"computed checksum (\d+)", str(error))
        if checksum:  # of the header, which newer versions have
            content[:8] = int(checksum[1]).to_bytes(8, "little")
            file.write_bytes(content)
    yield


def without(*paths: str) -> Around:
    """Files of the project are gone."""

    @contextmanager
    def around(project: DbtProject) -> Iterator[None]:
        for path in paths:
            (project.folder / path).unlink()
        yield

    return around


@contextmanager
def changed(project: DbtProject, path: str, old: str, new: str) -> Iterator[None]:
    """A file of the project is edited."""
    file = project.folder / path
    file.write_text(file.read_text().replace(old, new))
    yield


@contextmanager
def latin(project: DbtProject) -> Iterator[None]:
    """A seed is saved in Latin-1."""
    (project.folder / "seeds/raw_customers.csv").write_bytes("id,name\n1,Zoë\n".encode("latin-1"))
    yield


@contextmanager
def other_dbt(project: DbtProject) -> Iterator[None]:
    """A dbt that is no dbt-core."""
    file = project.folder / "dbt"
    file.write_bytes(b"\x7fELF")
    file.chmod(0o755)
    yield


def orders(sql: str) -> dict[str, str]:
    """Returns the file of the model orders with other SQL."""
    return {"models/orders.sql": sql}


TABLE = "{{ config(materialized='table') }}\n"
MIGRATION = (
    "{% macro migration__0001__users() %}\ncreate table users (id integer, name varchar);\n{% endmacro %}\n"
)
SECOND = "{{% macro migration__0002__second() %}}\n{}\n{{% endmacro %}}\n"
ROWS = {"table": "users", "key": ["nmae"], "rows": [{"name": "ada"}]}
MIGRATE = "dbt-selfheal migrate up"


def second(sql: str) -> dict[str, str]:
    """Returns the files of a first migration, and of a second one with this SQL."""
    return {"macros/m1.sql": MIGRATION, "macros/m2.sql": SECOND.format(sql)}


MODELS = {
    "column-missing": Situation(files=orders("select nowhere from {{ ref('raw_orders') }}\n")),
    "contract-violated": Situation(
        files={
            **orders("{{ config(contract={'enforced': true}) }}\nselect 1 as o\n"),
            "models/s.yml": "models: [{name: orders, columns: [{name: id, data_type: integer}]}]\n",
        }
    ),
    "jinja-error": Situation(files=orders("select {{ no_such_macro() }} as x\n")),
    "not-null-violated": Situation(
        files={
            **orders(
                "{{ config(materialized='table', contract={'enforced': true}) }}\n"
                "select null::integer as id\n"
            ),
            "models/s.yml": "models:\n  - name: orders\n    columns:\n"
            "      - {name: id, data_type: integer, constraints: [{type: not_null}]}\n",
        }
    ),
    "unique-violated": Situation(
        files={
            **orders(
                "{{ config(materialized='table', contract={'enforced': true}) }}\n"
                "select 1 as id union all select 1\n"
            ),
            "models/s.yml": "models:\n  - name: orders\n    columns:\n"
            "      - {name: id, data_type: integer, constraints: [{type: primary_key}]}\n",
        }
    ),
    "out-of-memory": Situation(
        files=orders(TABLE + "select md5(range::varchar) as id from range(3000000) order by 1\n"),
        profile={"settings": {"memory_limit": "20MB", "temp_directory": ""}},
    ),
    "read-only": Situation(
        before=(ENSURE,),
        sql=("drop table report",),
        story="The table `report` was dropped.",
        profiles=(
            "shop: {target: dev, outputs: {dev: {type: duckdb, path: warehouse.duckdb, "
            "config_options: {access_mode: read_only}}}}\n"
        ),
    ),
    "ref-missing": Situation(files=orders("select * from {{ ref('raw_ordres') }}\n")),
    "relation-missing": Situation(files=orders("select * from by_hand, {{ ref('raw_orders') }}\n")),
    "schema-missing": Situation(files=orders("select * from nowhere.by_hand, {{ ref('raw_orders') }}\n")),
    "source-missing": Situation(
        files={
            **orders("select * from {{ source('erp', 'events') }}\n"),
            "models/s.yml": "sources: [{name: erp, schema: main, tables: [{name: events}]}]\n",
        }
    ),
    "source-undeclared": Situation(files=orders("select * from {{ source('erp', 'events') }}\n")),
    "source-cycle": Situation(
        command="dbt-selfheal ensure --select totals",
        files={
            **orders("select * from {{ source('own', 'totals') }}\n"),
            "models/s.yml": "sources: [{name: own, schema: main, tables: [{name: totals}]}]\n",
        },
    ),
    "syntax-error": Situation(files=orders("selec * from {{ ref('raw_orders') }}\n")),
    "value-conversion": Situation(
        files=orders(TABLE + "select 'x'::integer as id from {{ ref('raw_orders') }}\n")
    ),
    "unknown": Situation(files=orders(TABLE + "select error('no orders today') as id\n")),
    "cannot-build": Situation(
        command="dbt-selfheal exec -- dbt run --select report",
        files={
            "models/totals.py": 'def model(dbt, session):\n    dbt.config(materialized="table")\n'
            '    return dbt.ref("orders")\n',
        },
        around=without("models/totals.sql"),
        story="Nothing is there yet.",
    ),
    "history-lost": Situation(
        command="dbt-selfheal exec -- dbt run --select daily",
        files={
            "models/daily.sql": "{{ config(materialized='incremental', unique_key='id') }}\n"
            "select * from {{ ref('changes') }}\n",
            "models/changes.sql": "{{ config(materialized='incremental', unique_key='id') }}\n"
            "select * from {{ ref('raw_orders') }}\n",
        },
        before=(ENSURE,),
        sql=("drop table changes",),
        story="All was built, and then the table `changes` was dropped.",
    ),
}
SEEDS = {
    "seed-empty": Situation(files={"seeds/raw_orders.csv": ""}),
    "seed-encoding": Situation(around=latin, story="`seeds/raw_customers.csv` is saved in Latin-1."),
    "seed-missing": Situation(
        files={"seeds/seeds.yml": "seeds:\n  - name: gone\n"}, settings={"required": ["gone"]}
    ),
    "seed-ragged": Situation(files={"seeds/raw_orders.csv": "id,customer_id,amount\n1,1,10\n2,2,20,30\n"}),
    "seed-type": Situation(
        files={
            "seeds/raw_orders.csv": "id,customer_id,amount\n1,1,ten\n",
            "seeds/seeds.yml": "seeds: [{name: raw_orders, config: {column_types: {amount: integer}}}]\n",
        }
    ),
}
PROJECT = {
    "adapter-missing": Situation(
        profiles="shop:\n  target: dev\n  outputs:\n    dev: {type: postgress, host: localhost}\n"
    ),
    "database-package-missing": Situation(
        command=MIGRATE, story="The project has the package `dbt_selfheal` only."
    ),
    "dbt-missing": Situation(
        environment={"DBT_SELFHEAL_DBT": "/opt/dbt/bin/dbt"},
        story="`DBT_SELFHEAL_DBT=/opt/dbt/bin/dbt`, and there is no such file.",
    ),
    "dbt-version": Situation(
        environment={"DBT_SELFHEAL_DBT": "./dbt"},
        around=other_dbt,
        story="`DBT_SELFHEAL_DBT` names a program that is no dbt.",
    ),
    "dependency-missing": Situation(
        around=without("dbt_packages/dbt_selfheal"), story="`dbt deps` was not run."
    ),
    "env-var-missing": Situation(
        profiles=(
            "shop: {target: dev, outputs: {dev: {type: duckdb, path: \"{{ env_var('SHOP_FILE') }}\"}}}\n"
        )
    ),
    "configuration-wrong": Situation(
        command="dbt-selfheal recreate",
        profiles="shop: {target: dev, outputs: {dev: {type: postgres, host: db, dbname: shop}}}\n",
    ),
    "missing": Situation(settings={"on_missing": "fail"}),
    "profile-missing": Situation(command="dbt-selfheal ensure --profile shopp"),
    "profile-wrong": Situation(profiles="shop: {target: dev, outputs: {dev: {path: x.duckdb}}}\n"),
    "project-missing": Situation(
        around=without("dbt_project.yml"), story="The folder has no `dbt_project.yml`."
    ),
    "required-unknown": Situation(settings={"required": ["ordres"]}),
    "selection-wrong": Situation(command="dbt-selfheal ensure --select ordres"),
    "setting-wrong": Situation(settings={"requird": ["orders"]}),
    "target-missing": Situation(command="dbt-selfheal ensure --target prod"),
    "template-wrong": Situation(
        profiles="shop: {target: dev, outputs: {dev: {type: duckdb, path: \"{{ 'a' + 1 }}\"}}}\n"
    ),
    "var-missing": Situation(files=orders("select {{ var('year') }} as year\n")),
    "vars-wrong": Situation(command="dbt-selfheal ensure --vars year:2025"),
    "yaml-invalid": Situation(files={"models/s.yml": "models:\n  - name: orders\n   columns: []\n"}),
}
DATABASE = {
    "concurrent": Situation(
        command="dbt-selfheal ensure --lock-timeout 0",
        around=lock_held,
        story="Another initialization is running.",
    ),
    "corrupt-file": Situation(around=damaged, story="`warehouse.duckdb` has other content."),
    "disk-full": Situation(command="dbt-selfheal ensure --min-free-mb 1000000000"),
    "file-locked": Situation(
        command="dbt-selfheal ensure --lock-timeout 0",
        around=opened_elsewhere,
        story="A Python process has `warehouse.duckdb` open.",
    ),
    "newer-format": Situation(
        around=newer,
        story="`warehouse.duckdb` has the format of a DuckDB that is newer than the one installed.",
    ),
    "timeout": Situation(
        command="dbt-selfheal ensure --timeout 4",
        files=orders(
            TABLE + "select count(*) as id from range(10000000000) a, range(10000000000) b\n"
            "where a.range % 7 = b.range % 11\n"
        ),
    ),
}
OTHERS = {
    "initial-data-wrong": Situation(
        both=True,
        settings={"initial_data": [ROWS]},
        sql=("create table users (id integer, name varchar)",),
        story="The table `users` has the columns `id` and `name`.",
    ),
    "migrations-blocked": Situation(
        command=MIGRATE,
        both=True,
        files={"macros/m1.sql": MIGRATION},
        before=(MIGRATE,),
        around=lambda project: changed(project, "macros/m1.sql", "name", "title"),
        story="The migration was applied, and then its column `name` was renamed in the file.",
    ),
    "migration-unknown": Situation(
        command="dbt-selfheal migrate baseline 0009", both=True, files={"macros/m1.sql": MIGRATION}
    ),
    "migration-not-repaired": Situation(
        command="dbt-selfheal migrate repair 0001 rerun",
        both=True,
        files={"macros/m1.sql": MIGRATION},
        story="The migration is pending.",
    ),
    "migration-exists": Situation(
        command=MIGRATE,
        both=True,
        files={"macros/m1.sql": MIGRATION},
        sql=("create table users (id integer)",),
        story="Somebody has made a table `users` by hand.",
    ),
    "migration-constraint": Situation(
        command=MIGRATE,
        both=True,
        files=second("create unique index by_name on people (name);"),
        sql=("create table people as select 1 as id, 'ada' as name union all select 2, 'ada'",),
        story="Two rows of the table `people` have the same name.",
    ),
    "migration-data": Situation(
        command=MIGRATE,
        both=True,
        files=second("alter table people alter name type integer;"),
        sql=("create table people as select 1 as id, 'ada' as name",),
        story="The table `people` has a row with the name ada.",
    ),
    "migration-object-missing": Situation(
        command=MIGRATE, both=True, files=second("alter table nobody add column x integer;")
    ),
    "migration-syntax": Situation(command=MIGRATE, both=True, files=second("create tabel x (id integer);")),
    "migration-failed": Situation(command=MIGRATE, both=True, files=second("select error('not today');")),
}
SITUATIONS = {
    f"selfheal-{name}": each for name, each in {**MODELS, **SEEDS, **PROJECT, **DATABASE, **OTHERS}.items()
}
# What dbt itself says before any hook runs, it says without the package too: not shown again.
BEFORE_HOOKS = ("ref-missing", "source-undeclared", "seed-encoding", "seed-missing", "var-missing")
IN_DBT_ALONE = {
    f"selfheal-{name}"
    for name in (*MODELS, *SEEDS, "missing", "required-unknown", "setting-wrong", "initial-data-wrong")
    if name not in BEFORE_HOOKS
}
