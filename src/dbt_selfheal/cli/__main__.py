"""`python -m dbt_selfheal.cli`."""

from dbt_selfheal.cli.main import main

main()
