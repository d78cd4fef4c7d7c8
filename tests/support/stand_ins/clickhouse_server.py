"""ClickHouse's HTTP interface over chdb, the engine as a library: enough for dbt-clickhouse and the tests.

The Python of the environment `clickhouse` runs it: `clickhouse_server.py FOLDER`. It prints its port.
Statements are
run one at a time.
"""

from __future__ import annotations

import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HEADERS = {
    "X-ClickHouse-Summary": '{"read_rows":"0","read_bytes":"0","written_rows":"0","written_bytes":"0",'
    '"total_rows_to_read":"0","result_rows":"0","result_bytes":"0","elapsed_ns":"1"}',
    "X-ClickHouse-Timezone": "UTC",
}
FORMAT = re.compile(r"\bFORMAT\s+(Native|JSONCompact)\s*$", re.IGNORECASE)


def handler(session: Any) -> type[BaseHTTPRequestHandler]:
    """Returns the class that answers requests from a session of the engine."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Says nothing of requests."""

        def _answer(self) -> None:
            address = urllib.parse.urlparse(self.path)
            given = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf8", "replace")
            sql = "\n".join(part for part in (given.get("query"), body) if part).strip()
            form = given.get("default_format") or self.headers.get("X-ClickHouse-Format") or "TabSeparated"
            if named := FORMAT.search(sql):
                sql, form = sql[: named.start()].rstrip(), named[1]
            code, content = 200, b"Ok.\n"
            with lock:
                try:
                    if sql:
                        session.query(f"use `{given.get('database') or 'default'}`")
                        content = session.query(sql, form).bytes() or b""
                except Exception as error:
                    code, content = 500, str(error).encode()
            self.send_response(code)
            headers = {**HEADERS, "X-ClickHouse-Query-Id": given.get("query_id", "q")}
            if code != 200:
                headers["X-ClickHouse-Exception-Code"] = "1"
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815

    return Handler


def main() -> None:
    """Serves until it is killed."""
    from chdb import session

    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(session.Session(sys.argv[1])))
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
