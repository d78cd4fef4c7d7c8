"""For web frameworks: dbt_selfheal.integrations.flask and dbt_selfheal.integrations.fastapi."""
