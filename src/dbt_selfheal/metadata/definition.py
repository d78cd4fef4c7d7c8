"""The DDL of SQLAlchemy models, by SQLAlchemy's own compiler."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbt_selfheal.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import MetaData
    from sqlalchemy.engine import Dialect

NAMES = {"postgres": "postgresql"}  # dbt's name of an adapter, where SQLAlchemy's is another


class SchemaDefinition:
    """The tables, indexes and constraints of models, as statements.

    Args:
        metadata: Their MetaData, such as `Base.metadata`, or something that has one, such as `db`.
        dialect: Of the database: a name (`sqlite`, `postgresql`, dbt's `postgres`), or SQLAlchemy's Dialect.

    Raises:
        ConfigurationError: SQLAlchemy, or the dialect, is not installed.
        TypeError: `metadata` is no MetaData and has none.
    """

    def __init__(self, metadata: MetaData | Any, dialect: str | Dialect) -> None:
        self._metadata = metadata_of(metadata)
        self._dialect = dialect_of(dialect)

    def get_table_definitions(self) -> dict[str, str]:
        """Returns `create table ...` by the table's name, in an order in which they can be run."""
        from sqlalchemy.schema import CreateTable

        tables = self._metadata.sorted_tables
        return {table.fullname: self._text(CreateTable(table)) for table in tables}

    def get_index_definitions(self) -> dict[str, str]:
        """Returns `create index ...` by the index's name."""
        from sqlalchemy.schema import CreateIndex

        return {
            str(index.name): self._text(CreateIndex(index))
            for table in self._metadata.sorted_tables
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        }

    def get_constraint_definitions(self) -> dict[str, str]:
        """Returns `alter table ... add constraint ...` by the constraint's name.

        One without a name is called after its table, its kind and its columns. Each is part of its table's
        definition too; on a database that cannot add one to a table (SQLite) it is that part.
        """
        from sqlalchemy.schema import AddConstraint

        found: dict[str, str] = {}
        for table in self._metadata.sorted_tables:
            for constraint in table.constraints:
                columns = [column.name for column in getattr(constraint, "columns", ())]
                if type(constraint).__name__ == "PrimaryKeyConstraint" and not columns:
                    continue
                kind = type(constraint).__name__.removesuffix("Constraint").lower()
                name = str(constraint.name or "_".join([table.name, kind, *columns]))
                if self._dialect.supports_alter:
                    found[name] = self._text(AddConstraint(constraint, isolate_from_table=False))
                else:
                    compiler: Any = self._dialect.ddl_compiler(self._dialect, None)  # type: ignore[arg-type]
                    found[name] = str(compiler.process(constraint)).strip()
        return dict(sorted(found.items()))

    def _text(self, statement: Any) -> str:
        return str(statement.compile(dialect=self._dialect)).strip()


def metadata_of(found: Any) -> MetaData:
    """Returns a MetaData, or that of what has one; raises TypeError for anything else."""
    sqlalchemy = require("sqlalchemy")
    for candidate in (found, getattr(found, "metadata", None)):
        if isinstance(candidate, sqlalchemy.MetaData):
            metadata: MetaData = candidate
            return metadata
    raise TypeError(f"neither a MetaData of SQLAlchemy nor something that has one: {type(found).__name__}")


def dialect_of(dialect: str | Dialect) -> Dialect:
    """Returns a dialect by its name; raises ConfigurationError if it is not installed."""
    require("sqlalchemy")
    if not isinstance(dialect, str):
        return dialect
    from sqlalchemy.dialects import registry
    from sqlalchemy.exc import NoSuchModuleError

    try:
        made: Dialect = registry.load(NAMES.get(dialect, dialect))()
    except NoSuchModuleError:
        raise ConfigurationError(
            f"SQLAlchemy has no dialect {dialect!r} here",
            code="selfheal-dialect-missing",
            remedy="Name sqlite, postgresql or another that is installed.",
        ) from None
    return made


def load_metadata(path: str, folder: Path) -> MetaData:
    """Returns the MetaData that `package.module:name` means.

    Args:
        path: The path; what is imported runs.
        folder: Where modules are looked for besides the usual places.

    Raises:
        ConfigurationError: There is no such module or name, or it is no MetaData and has none.
    """
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        raise _wrong(path, "it is not of the form package.module:metadata")
    before = list(sys.path)
    sys.path[:0] = [str(Path.cwd()), str(folder)]
    try:
        found: Any = import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
        return metadata_of(found)
    except ModuleNotFoundError as error:
        raise _wrong(path, f"there is no module {error.name}") from error
    except AttributeError as error:
        raise _wrong(path, str(error)) from error
    except TypeError as error:
        raise _wrong(path, str(error)) from error
    except ConfigurationError:
        raise
    except Exception as error:
        raise _wrong(path, f"importing it ends in {type(error).__name__}: {error}") from error
    finally:
        sys.path[:] = before


def _wrong(path: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"the models {path!r} cannot be loaded: {reason}",
        code="selfheal-metadata-missing",
        remedy="Name the module, as Python imports it from here, and in it the MetaData, such as "
        "shop.models:Base.metadata",
    )


def require(name: str) -> Any:
    """Returns a module of the extra `sqlalchemy`; raises ConfigurationError if it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"this needs the package {name}, which is not installed",
            code="selfheal-extra-missing",
            remedy='Install it: pip install "dbt-selfheal[sqlalchemy]"',
        ) from None
