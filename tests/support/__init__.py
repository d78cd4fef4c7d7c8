"""What the tests use: real dbt in prepared environments, projects, databases."""

from support.databases import (
    ADAPTERS,
    Database,
    DuckDbDatabase,
    PostgresDatabase,
    PostgresServer,
    SparkDatabase,
    SqliteDatabase,
)
from support.environments import ROOT, DbtServer, EngineProcesses, Environment, default_environment
from support.project import BOTH, HEALING, DbtError, DbtProject, DbtResult, RunningDbt
from support.results import RESULTS, keep_result
from support.warehouses import (
    WAREHOUSES,
    ClickHouseDatabase,
    RedshiftDatabase,
    SnowflakeDatabase,
    StandIn,
)
from support.warm_up import warm_server

__all__ = [
    "ADAPTERS",
    "BOTH",
    "HEALING",
    "RESULTS",
    "ROOT",
    "WAREHOUSES",
    "ClickHouseDatabase",
    "Database",
    "DbtError",
    "DbtProject",
    "DbtResult",
    "DbtServer",
    "DuckDbDatabase",
    "EngineProcesses",
    "Environment",
    "PostgresDatabase",
    "PostgresServer",
    "RedshiftDatabase",
    "RunningDbt",
    "SnowflakeDatabase",
    "SparkDatabase",
    "SqliteDatabase",
    "StandIn",
    "default_environment",
    "keep_result",
    "warm_server",
]
