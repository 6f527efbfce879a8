"""Where a desk pushes to in a test."""

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from services.engage.desks.events import Received


class Receiver:
    """Where the desk pushes to: keeps what comes."""

    def __init__(self) -> None:
        self.pushes: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                query = dict(parse_qsl(urlsplit(self.path).query))
                receiver.pushes.append(
                    Received(headers=dict(self.headers), body=body, query=query, received_at=datetime.now(UTC))
                )
                self.send_response(202)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
