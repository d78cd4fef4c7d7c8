"""A proxy that lets Redshift's driver speak to PostgreSQL, and what PostgreSQL lacks for dbt-redshift.

The driver and dbt-redshift are as they are. Of what the driver sends, the proxy leaves out the parameters
of the start-up message that
only Redshift takes.
"""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path

TAKEN = {b"user", b"database", b"application_name"}
#: Made in each database: what Redshift has and dbt-redshift calls.
STUBS = (
    "create function public.getdate() returns timestamp language sql as 'select localtimestamp'",
    "create function public.pg_get_late_binding_view_cols() returns setof record language sql as "
    "'select ''''::name, ''''::name, ''''::name, ''''::name, 0 where false'",
    "set allow_system_table_mods = on",
    "create table pg_catalog.svv_external_columns (schemaname text, tablename text, columnname text, "
    "external_type text, columnnum int, redshift_database_name text)",
)


class Proxy:
    """Listens on a port of this machine and passes what comes on to PostgreSQL's socket.

    Args:
        target: The socket of the server.
    """

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stops listening."""
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with suppress(OSError, EOFError), client, server:
            server.connect(self._target)
            length, protocol = struct.unpack("!ii", _read(client, 8))
            server.sendall(_start_up(protocol, _read(client, length - 8)))
            threading.Thread(target=_pass, args=(server, client), daemon=True).start()
            _pass(client, server)


def _start_up(protocol: int, content: bytes) -> bytes:
    """Returns the start-up message with the parameters that PostgreSQL takes."""
    parts = content.rstrip(b"\0").split(b"\0")
    kept = [(name, value) for name, value in zip(parts[::2], parts[1::2], strict=True) if name in TAKEN]
    body = b"".join(name + b"\0" + value + b"\0" for name, value in kept) + b"\0"
    return struct.pack("!ii", len(body) + 8, protocol) + body


def _read(source: socket.socket, length: int) -> bytes:
    """Returns that many bytes; raises EOFError when there are fewer."""
    found = b""
    while len(found) < length:
        part = source.recv(length - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _pass(source: socket.socket, target: socket.socket) -> None:
    """Passes everything on until one side ends, and then ends both."""
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
