"""The laboratory's mail server: ``python -m console.lab.mailsink PORT``. It takes every mail and delivers none.

SMTP (RFC 5321) as far as a client that sends in the clear needs it; a line in its log for each mail taken.
"""

from __future__ import annotations

import asyncio
import logging
import sys

_LINE = 64 << 10
_LARGEST = 20 << 20
_PATIENCE_S = 60.0

_log = logging.getLogger("banksman.lab.mail")


class Conversation:
    """One client's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sender = ""
        self._recipients: list[str] = []

    async def run(self) -> None:
        """Until the client leaves, or says nothing for a minute."""
        await self._say("220 mail.lab.test ESMTP")
        while line := await self._line():
            verb, _, rest = line.decode("latin-1").strip().partition(" ")
            if not await self._do(verb.upper(), rest):
                return

    async def _line(self) -> bytes:
        return await asyncio.wait_for(self._reader.readline(), _PATIENCE_S)

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()

    async def _do(self, verb: str, rest: str) -> bool:
        """Whether the conversation goes on."""
        match verb:
            case "EHLO":
                await self._say("250-mail.lab.test", f"250-SIZE {_LARGEST}", "250 8BITMIME")
            case "HELO" | "NOOP":
                await self._say("250 mail.lab.test")
            case "MAIL":
                self._sender, self._recipients = rest, []
                await self._say("250 OK")
            case "RCPT" if self._sender:
                self._recipients.append(rest)
                await self._say("250 OK")
            case "DATA" if self._recipients:
                await self._take()
            case "RSET":
                self._sender, self._recipients = "", []
                await self._say("250 OK")
            case "QUIT":
                await self._say("221 Bye")
                return False
            case "MAIL" | "RCPT" | "DATA":
                await self._say("503 Bad sequence of commands")
            case _:
                await self._say("502 Command not implemented")
        return True

    async def _take(self) -> None:
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        size = 0
        while (line := await self._line()) not in (b".\r\n", b""):
            size += len(line)
        if size > _LARGEST:
            await self._say("552 Message size exceeds fixed maximum message size")
            return
        _log.info("%s %s, %d bytes", self._sender, " ".join(self._recipients), size)
        self._sender, self._recipients = "", []
        await self._say("250 OK")


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await Conversation(reader, writer).run()
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as problem:
        _log.info("a client left: %r", problem)  # ValueError: a line that is too long
    finally:
        writer.close()


async def _run(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, limit=_LINE)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Run until ended."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    asyncio.run(_run(int(sys.argv[1])))


if __name__ == "__main__":
    main()
