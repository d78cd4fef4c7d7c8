# ruff: noqa: E501 - SQL, Jinja and sentences in one line
"""Warehouses by what stands for them: Snowflake by fakesnow, Redshift by PostgreSQL, ClickHouse by chdb.

The adapter and its driver are real and unchanged. A server is shared by the tests of a worker; each database
is a schema (on Redshift a database) of its own.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from support.databases import Database, PostgresDatabase, PostgresServer, Row
from support.environments import Environment
from support.stand_ins.redshift_proxy import STUBS, Proxy

STAND_INS = Path(__file__).with_name("stand_ins")
WAREHOUSES = ("clickhouse", "redshift", "snowflake")
Catalog = dict[str, dict[str, Any]]


class StandIn:
    """A server that a program of stand_ins/ runs in an environment.

    Args:
        environment: Where it runs; its name is the adapter's.
        folder: For the server's data; it must not exist.

    Raises:
        RuntimeError: The server does not start.
    """

    def __init__(self, environment: Environment, folder: Path) -> None:
        program = STAND_INS / f"{environment.name}_server.py"
        folder.mkdir(parents=True)
        self._log = (folder / "log").open("w+")
        self._process = subprocess.Popen(
            [environment.python, program, folder / "data"],
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=environment.variables(),
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line.isdigit():
            self._log.seek(0)
            raise RuntimeError(f"{program.name} does not start:\n{self._log.read()[-3000:]}")
        self.port = int(line)
        self._count = itertools.count(1)

    def new_name(self) -> str:
        """Returns a name that no test has had yet."""
        return f"dev_{next(self._count)}"

    def ask(self, path: str, sql: str) -> str:
        """Sends a statement and returns what is answered; raises RuntimeError with the server's message."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=sql.encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{error.read().decode()[:2000]}\n{sql}") from None

    def close(self) -> None:
        """Ends the server."""
        self._process.kill()
        self._process.wait()
        self._log.close()


class Warehouse(Database):
    """What the databases of a stand-in have in common.

    Args:
        server: The stand-in.
    """

    path: str

    def __init__(self, server: StandIn) -> None:
        self.server = server
        self.default_schema = server.new_name()

    def execute(self, *statements: str) -> None:
        """Executes statements, each committed."""
        for statement in statements:
            self.server.ask(self.path, statement)

    def catalog(self) -> Catalog:
        """Returns what the catalog says of each relation, and its rows, by `schema.name`."""
        raise NotImplementedError

    def _of_ours(self, column: str) -> str:
        return f"{column} = '{self.default_schema}' or startsWith({column}, '{self.default_schema}_')"


class ClickHouseDatabase(Warehouse):
    """A database of chdb, and those with its name and a suffix."""

    adapter = "clickhouse"
    path = "/?default_format=JSONCompact"

    def profile(self) -> dict[str, Any]:
        """Returns the output of profiles.yml for this database."""
        return {
            "type": "clickhouse", "driver": "http", "host": "127.0.0.1", "port": self.server.port, "user": "default",
            "password": "", "schema": self.default_schema, "threads": 2,
        }  # fmt: skip

    def query(self, sql: str) -> list[Row]:
        """Returns the rows of a query."""
        return [tuple(row) for row in json.loads(self.server.ask(self.path, sql))["data"]]

    def relations(self) -> dict[str, str]:
        """Returns `{"schema.name": "table" or "view"}`."""
        rows = self.query(
            f"select database, name, engine from system.tables where {self._of_ours('database')} order by 1, 2"
        )
        return {f"{row[0]}.{row[1]}": "view" if row[2] == "View" else "table" for row in rows}

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Returns name and type of the columns of a relation, in their order."""
        schema, name = self.split(relation)
        return [
            (row[0], row[1])
            for row in self.query(
                f"select name, type from system.columns where database = '{schema}' and table = '{name}' order by position"
            )
        ]

    def quoted(self, relation: str) -> str:
        """Returns the relation, given as `name` or `schema.name`, as it is written in SQL."""
        return ".".join(f"`{part}`" for part in self.split(relation))

    def catalog(self) -> Catalog:
        """Returns engine, keys, definition, comment, columns with defaults and comments, and rows."""
        found: Catalog = {}
        for schema, name, *facts in self.query(
            "select database, name, engine, engine_full, partition_key, sorting_key, primary_key, as_select, comment "
            f"from system.tables where {self._of_ours('database')}"
        ):
            columns = self.query(
                "select name, type, default_kind, default_expression, comment, position from system.columns "
                f"where database = '{schema}' and table = '{name}' order by position"
            )
            found[f"{schema}.{name}"] = {
                "facts": facts,
                "columns": columns,
                "rows": self.rows(f"{schema}.{name}"),
            }
        return found


class SnowflakeDatabase(Warehouse):
    """A schema of fakesnow's database WH, and those with its name and a suffix."""

    adapter = "snowflake"
    path = "/selfheal"

    def __init__(self, server: StandIn) -> None:
        super().__init__(server)
        self.default_schema = self.default_schema.upper()

    def profile(self) -> dict[str, Any]:
        """Returns the output of profiles.yml for this database."""
        return {
            "type": "snowflake", "account": "fakesnow", "host": "localhost", "port": self.server.port, "protocol": "http",
            "insecure_mode": True, "user": "u", "password": "p", "database": "WH", "warehouse": "W", "threads": 2,
            "schema": self.default_schema, "connect_timeout": 5, "connect_retries": 0,
        }  # fmt: skip

    def query(self, sql: str) -> list[Row]:
        """Returns the rows of a query."""
        return [tuple(row) for row in json.loads(self.server.ask(self.path, sql))]

    def relations(self) -> dict[str, str]:
        """Returns `{"schema.name": "table" or "view"}`, with the names in lower case."""
        rows = self.query(
            "select table_schema, table_name, 'table' from WH.information_schema.tables where table_type <> 'VIEW' "
            "union all select table_schema, table_name, 'view' from WH.information_schema.views order by 1, 2"
        )
        return {
            f"{row[0]}.{row[1].lower()}": row[2]
            for row in rows
            if row[0] == self.default_schema or row[0].startswith(f"{self.default_schema}_")
        }

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Returns name and type of the columns of a relation, in their order."""
        return [(row[0], row[1]) for row in self.query(f"describe table {self.quoted(relation)}")]

    def quoted(self, relation: str) -> str:
        """Returns the relation, given as `name` or `schema.name`, as it is written in SQL."""
        return "WH." + ".".join(self.split(relation))

    def catalog(self) -> Catalog:
        """Returns kind, columns (type, nullability, default), and rows."""
        return {
            name: {
                "facts": kind,
                "columns": self.query(f"describe {kind} {self.quoted(name)}"),
                "rows": self.rows(name),
            }
            for name, kind in self.relations().items()
        }


class RedshiftDatabase(PostgresDatabase):
    """A database of PostgreSQL with what dbt-redshift calls, behind the proxy.

    Args:
        server: The server.
        proxy: The proxy before it.
    """

    adapter = "redshift"

    def __init__(self, server: PostgresServer, proxy: Proxy) -> None:
        super().__init__(server)
        self._proxy = proxy
        self.execute(*STUBS)

    def profile(self) -> dict[str, Any]:
        """Returns the output of profiles.yml for this database."""
        return {
            "type": "redshift", "method": "database", "host": "127.0.0.1", "port": self._proxy.port, "user": "postgres",
            "password": "none", "dbname": self.name, "schema": self.default_schema, "threads": 2, "sslmode": "disable",
        }  # fmt: skip

    def catalog(self) -> Catalog:
        """Returns what tests/fidelity/catalog.py reads of a PostgreSQL."""
        import dataclasses

        from catalog import snapshot

        where = {
            "host": str(self.server.folder),
            "port": PostgresServer.port,
            "user": "postgres",
            "dbname": self.name,
        }
        found = snapshot("postgres", where)
        return {
            name: dataclasses.asdict(facts)
            for name, facts in found.items()
            if not name.startswith("function ")
        }
