"""``python -m console.lab.platform DIRECTORY``."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from console.lab.platform.process import run

if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    asyncio.run(run(Path(sys.argv[1]).resolve()))
