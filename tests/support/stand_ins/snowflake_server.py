"""fakesnow's server, an emulator of Snowflake over DuckDB, with a way to ask it outside of dbt.

The Python of the environment `snowflake` runs it: `snowflake_server.py`. It prints its port. `POST
/selfheal` with SQL as the
body answers the rows as JSON; the same emulator as for dbt runs it, in a session of its own.
"""

from __future__ import annotations

import json
import socket
from typing import Any


def main() -> None:
    """Serves until it is killed."""
    import uvicorn
    from fakesnow.server import app, shared_fs
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    def run(sql: str) -> tuple[int, str]:
        connection = shared_fs.connect("WH", None)
        try:
            rows: Any = connection.cursor().execute(sql).fetchall()
            return 200, json.dumps([list(row) for row in rows or []], default=str)
        except Exception as error:
            return 500, str(error)
        finally:
            connection.close()

    async def asked(request: Request) -> PlainTextResponse:
        sql = (await request.body()).decode()
        code, text = await run_in_threadpool(run, sql)
        return PlainTextResponse(text, status_code=code)

    app.router.routes.insert(0, Route("/selfheal", asked, methods=["POST"]))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        print(listening.getsockname()[1], flush=True)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        server.run(sockets=[listening])


if __name__ == "__main__":
    main()
