"""Health over HTTP, for load balancers, Prometheus and people: checked again and again."""

from __future__ import annotations

import errno
import json
import signal
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dbt_selfheal.errors import ConfigurationError
from dbt_selfheal.health.metrics import metrics
from dbt_selfheal.health.monitor import Monitor, is_fit, summary
from dbt_selfheal.health.page import page
from dbt_selfheal.health.report import Report

LOCAL = "127.0.0.1"
Address = tuple[str, int]
Answer = tuple[int, str, str]  # status, type, content
NOT_YET: Answer = (503, "text/plain", "the first check is running\n")


def address_of(text: str) -> Address:
    """Returns the address that `PORT`, `HOST:PORT` or `[HOST]:PORT` means; the host is 127.0.0.1 by default.

    Raises:
        ConfigurationError: It is of another form.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not int(port) < 1 << 16 or (":" in host and not host.startswith("[")):
        raise ConfigurationError(
            f"--serve {text!r} is no address",
            code="selfheal-address-wrong",
            remedy="Give a port, or host and port: --serve 9187, --serve 0.0.0.0:9187, --serve [::1]:9187",
        )
    return host.strip("[]") or LOCAL, int(port)


def serve_health(
    address: Address, check: Callable[[], Report], seconds: float, on_start: Callable[[str], None]
) -> None:
    """Serves `/health` (JSON; 200 or 503), `/metrics` (Prometheus) and `/` (the page) until interrupted.

    Args:
        address: Host and port; port 0 for any that is free.
        check: Makes a report.
        seconds: The time between two checks.
        on_start: Called with the address as a URL once it is served.

    Raises:
        ConfigurationError: The address cannot be had, such as a port that is in use.
    """
    monitor = Monitor(check, seconds)
    server = _server(address, monitor)
    ended = threading.Event()

    def check_again() -> None:
        while not ended.is_set():
            monitor.refresh()
            ended.wait(min(seconds, 1.0))

    threading.Thread(target=check_again, name="dbt-selfheal-checks", daemon=True).start()
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    on_start(f"http://{host}:{server.server_port}/")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        ended.set()
        server.server_close()


def _server(address: Address, monitor: Monitor) -> ThreadingHTTPServer:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        daemon_threads = True

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, content = _answer(self.path.partition("?")[0], monitor)
            body = content.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Writes nothing: Prometheus asks every few seconds."""

    try:
        return Server(address, Handler)
    except OSError as error:
        used = error.errno == errno.EADDRINUSE
        raise ConfigurationError(
            f"{address[0]}:{address[1]} cannot be served: {error.strerror or error}",
            code="selfheal-address-in-use" if used else "selfheal-address-wrong",
            remedy=f"Choose another port, or end what has it: ss -ltnp 'sport = :{address[1]}'"
            if used
            else "Choose an address of this machine and a port that this user may have (above 1023).",
        ) from None


def _answer(path: str, monitor: Monitor) -> Answer:
    report = monitor.report()
    known = report["verdict"] != "unknown"
    if path == "/health":
        return (200 if is_fit(report) else 503), "application/json", json.dumps(summary(report), default=str)
    if path == "/metrics":
        try:
            return (200, "text/plain; version=0.0.4", metrics(report)) if known else NOT_YET
        except ConfigurationError as error:  # prometheus-client is not installed
            return 501, "text/plain", f"{error}\n{error.remedy}\n"
    if path == "/":
        return (200, "text/html", page(report)) if known else NOT_YET
    return 404, "text/plain", "there are /health, /metrics and /\n"
