"""FastAPI, and any other ASGI framework with lifespans: the database is made ready before the first request.

app = FastAPI(lifespan=lifespan(DatabaseInitializer("database")))
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from dbt_selfheal.database import DatabaseInitializer
from dbt_selfheal.errors import InitializationError

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]
logger = logging.getLogger("dbt_selfheal")


def lifespan(initializer: DatabaseInitializer, then: Lifespan | None = None) -> Lifespan:
    """Returns a lifespan that makes the database ready, and then runs the application's own.

    An application whose database cannot be made ready does not start: the error is logged with its remedy,
    and raised. Of the workers of a server that start at once one does it, and the others wait for it.

    Args:
        initializer: What makes it ready, in a thread of its own.
        then: The application's own lifespan, which may use the database.

    Returns:
        The lifespan; `app.state.selfheal` is the InitializationResult.
    """

    @asynccontextmanager
    async def run(app: Any) -> AsyncIterator[Any]:
        try:
            result = await asyncio.to_thread(initializer.initialize)
        except InitializationError as error:
            logger.error("The database is not ready: %s\n  What to do: %s", error, error.remedy)
            raise
        for warning in result.warnings:
            logger.warning("Database: %s", warning)
        app.state.selfheal = result
        if then is None:
            yield
        else:
            async with then(app) as state:
                yield state

    return run
