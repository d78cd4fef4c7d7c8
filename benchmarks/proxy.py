"""A TCP proxy in front of a database's socket that delays, and counts, each round trip of its clients.

What a client sends after it has been answered begins a round trip. The proxy holds that back for the delay;
what follows of the same request, and what the server answers, goes through at once.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path


class DelayingProxy:
    """The proxy, in a thread of its own.

    Args:
        socket: The server's Unix socket.
        delay: Of each round trip, in seconds.
    """

    def __init__(self, socket: Path, delay: float) -> None:
        self.delay = delay
        self.round_trips = 0
        self.port = 0
        self._socket = socket
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the proxy does not start")

    def close(self) -> None:
        """Ends the proxy and all connections through it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        open_still = asyncio.all_tasks(self._loop)
        for task in open_still:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*open_still, return_exceptions=True))
        self._loop.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(str(self._socket))
        answered = asyncio.Event()
        answered.set()  # the first thing that a client sends begins a round trip, too

        async def requests() -> None:
            while data := await client.read(65536):
                if answered.is_set():
                    answered.clear()
                    self.round_trips += 1
                    await asyncio.sleep(self.delay)
                to_server.write(data)
                await to_server.drain()
            to_server.close()

        async def answers() -> None:
            while data := await server.read(65536):
                answered.set()
                to_client.write(data)
                await to_client.drain()
            to_client.close()

        await asyncio.gather(requests(), answers(), return_exceptions=True)
