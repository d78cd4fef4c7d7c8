"""A FastAPI application on the database of the Flask example."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from dbt_selfheal.database import DatabaseInitializer
from dbt_selfheal.integrations.fastapi import lifespan

HERE = Path(__file__).parent
DATABASE = HERE.parent / "flask_app" / "database"  # the dbt project
FILE = Path(os.environ.setdefault("APP_DATABASE_FILE", str(HERE / "app.db")))
os.environ.setdefault("APP_DATABASE_FOLDER", str(FILE.parent))

app = FastAPI(lifespan=lifespan(DatabaseInitializer(DATABASE, profiles_dir=DATABASE, target="sqlite")))


@app.get("/users")
def users() -> list[dict[str, Any]]:
    """Returns the users."""
    with sqlite3.connect(FILE) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("select username, tenant, role from users")]


@app.get("/ready")
def ready() -> dict[str, Any]:
    """Returns how the database was made ready."""
    result = app.state.selfheal
    return {"way": result.way, "seconds": result.duration, "warnings": result.warnings}
