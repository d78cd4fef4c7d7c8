"""Builds the relations that a dbt command reads but that do not exist."""

__version__ = "0.1.0"
