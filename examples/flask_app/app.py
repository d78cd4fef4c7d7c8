"""A Flask application that starts whatever state its database is in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import Flask, jsonify
from sqlalchemy import URL, create_engine, make_url, text

from dbt_selfheal.integrations.flask import SelfHeal

HERE = Path(__file__).parent
DATABASE = HERE / "database"  # the dbt project
DEFAULT_URL = f"sqlite:///{HERE / 'instance' / 'app.db'}"


def describe(url: URL) -> str:
    """Tells the dbt profile (database/profiles.yml) where the database is; returns the name of the target."""
    if url.get_backend_name() == "sqlite":
        os.environ["APP_DATABASE_FILE"] = str(Path(str(url.database)).resolve())
        os.environ["APP_DATABASE_FOLDER"] = str(Path(str(url.database)).resolve().parent)
        return "sqlite"
    for key in ("host", "port", "username", "password", "database"):
        os.environ[f"APP_DATABASE_{key.upper()}"] = str(getattr(url, key) or url.query.get(key) or "")
    return "postgres"


def create_app(database_url: str | None = None) -> Flask:
    """Returns the application; raises an InitializationError if its database cannot be made ready."""
    app = Flask(__name__)
    url = make_url(database_url or os.environ.get("DATABASE_URL", DEFAULT_URL))
    app.config.update(
        SELFHEAL_PROJECT_DIR=str(DATABASE),
        SELFHEAL_PROFILES_DIR=str(DATABASE),
        SELFHEAL_TARGET=describe(url),
        SELFHEAL_HEALTH=True,
    )
    SelfHeal(app)  # before the engine connects
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg2")  # the driver that dbt-postgres brings
    engine = create_engine(url)

    def rows(query: str) -> Any:
        with engine.connect() as connection:
            return jsonify([dict(row) for row in connection.execute(text(query)).mappings()])

    @app.get("/users")
    def users() -> Any:
        return rows("select username, tenant, role from users order by username")

    @app.get("/roles")
    def roles() -> Any:
        return rows("select code, name from roles order by code")

    return app
