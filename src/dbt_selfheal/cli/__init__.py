"""The command dbt-selfheal."""

from dbt_selfheal.cli.main import cli as cli
from dbt_selfheal.cli.main import main as main
