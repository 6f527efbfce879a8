"""The health check of a container: exit code 0 if its own HTTP server answers 200 at the path that is given."""

import os
import socket
import sys

with socket.create_connection(("127.0.0.1", int(os.environ.get("SVC_PORT", "8000"))), timeout=2) as connection:
    connection.sendall(f"GET {sys.argv[1]} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    sys.exit(b" 200 " not in connection.recv(64))
