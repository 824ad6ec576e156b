"""Keeps an engine alive as one viewer of it would; prints the engine's process id."""

import asyncio
import sys
from pathlib import Path

from tests.tools.watch import watching


async def main() -> None:
    """Until terminated."""
    async with watching(Path(sys.argv[1])) as watch:
        await watch.until(watch.calm, 180, "calm")
        assert watch.board.environment is not None
        print(watch.board.environment.engine_pid, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
