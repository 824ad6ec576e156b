"""A tiny image for tests: ``program.py ADDRESS [WORD…]`` answers HTTP on port 8000 and says what it does.

Words: ``crash`` ends with 3 at once, ``done`` with 0; ``eat`` takes 60 MB; ``burn`` uses the processor; ``stubborn`` does not end when
asked to; ``unready`` answers 503; ``child`` starts a process of its own.
"""

import os
import signal
import socket
import sys
import time


def main() -> None:
    address, words = sys.argv[1], sys.argv[2:]
    print(
        f"{time.strftime('%Y-%m-%d %H:%M:%S')},000 hello from {os.environ.get('POD', '?')} {' '.join(words)}",
        flush=True,
    )
    if "crash" in words or "done" in words:
        sys.exit(3 if "crash" in words else 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in words else lambda *_: sys.exit(0))
    if "child" in words and os.fork() == 0:
        signal.pause()
    if "burn" in words and os.fork() == 0:
        while True:
            pass
    kept = bytearray(os.urandom(1024) * 60_000) if "eat" in words else None
    listener = socket.create_server((address, 8000))
    while True:
        connection, _ = listener.accept()
        asked = connection.recv(4096).decode().split(" ")
        if len(asked) > 1 and asked[1].startswith("/say/"):
            print(asked[1].removeprefix("/say/"), flush=True)
        code = "503 No" if "unready" in words else "200 OK"
        connection.sendall(f"HTTP/1.1 {code}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".encode())
        connection.close()
    del kept


main()
