"""The model, the JSON Schema and the table of keys of each command's document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from dbt_selfheal.contract import database, healing
from dbt_selfheal.contract.envelope import Envelope
from dbt_selfheal.models import InitializationResult

DOCUMENTS: dict[str, type[Envelope[Any]]] = {
    "ensure": Envelope[InitializationResult],
    "exec": Envelope[InitializationResult],
    "plan": Envelope[healing.Plan],
    "status": Envelope[healing.Status],
    "recreate": Envelope[healing.Recreated],
    "migrate create": Envelope[database.MigrationCreated],
    "migrate status": Envelope[database.MigrationStatus],
    "migrate up": Envelope[database.MigrationsApplied],
    "migrate down": Envelope[database.MigrationsRolledBack],
    "migrate history": Envelope[database.MigrationHistory],
    "migrate validate": Envelope[database.MigrationsValid],
    "migrate baseline": Envelope[database.Baselined],
    "migrate repair": Envelope[database.MigrationRepaired],
    "initial-data": Envelope[database.InitialData],
    "schema validate": Envelope[database.SchemaValidation],
    "schema repair": Envelope[database.SchemaRepair],
    "health": Envelope[database.Health],
}


def file_name(command: str) -> str:
    """Returns the name of the file with a command's schema, such as `migrate-status.json`."""
    return command.replace(" ", "-") + ".json"


def schema_of(command: str) -> dict[str, Any]:
    """Returns the JSON Schema of a command's document.

    Args:
        command: A key of DOCUMENTS.
    """
    schema = DOCUMENTS[command].model_json_schema(mode="serialization")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = f"dbt-selfheal {command} --json"
    return schema


def keys_of(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    """Yields key, type and meaning of each field of a model and of those in it, such as `steps[].name`."""
    schema = model.model_json_schema(mode="serialization")
    yield from _keys(schema, schema.get("$defs", {}), "")


def _keys(schema: dict[str, Any], known: dict[str, Any], before: str) -> Iterator[tuple[str, str, str]]:
    for key, field in schema.get("properties", {}).items():
        kind, inner, mark = _kind(field, known)
        yield f"{before}{key}", kind, str(field.get("description", ""))
        if inner is not None:
            yield from _keys(inner, known, f"{before}{key}{mark}.")


def _kind(field: dict[str, Any], known: dict[str, Any]) -> tuple[str, dict[str, Any] | None, str]:
    """Returns the type of a field for people, the schema of what is in it, and how it is written."""
    if "anyOf" in field:
        options = [_kind(each, known) for each in field["anyOf"]]
        inner = next(((each, mark) for _, each, mark in options if each is not None), (None, ""))
        return " or ".join(kind for kind, _, _ in options), *inner
    if "$ref" in field:
        target = known[field["$ref"].rpartition("/")[2]]
        if "enum" in target:
            return _kind(target, known)
        return "object", target, ""
    if "const" in field or "enum" in field:
        values = [field["const"]] if "const" in field else field["enum"]
        return ", ".join(f"`{_literal(value)}`" for value in values), None, ""
    if field.get("type") == "array":
        kind, inner_schema, _ = _kind(field["items"], known)
        return f"list of {kind}", inner_schema, "[]"
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"object of {_kind(field['additionalProperties'], known)[0]}", None, ""
    return ("time" if field.get("format") == "date-time" else str(field.get("type"))), None, ""


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
