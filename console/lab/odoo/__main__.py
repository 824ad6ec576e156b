"""``python -m console.lab.odoo CONFIG.json``: one tenant's server."""

from __future__ import annotations

import sys
from pathlib import Path

from console.lab.odoo import config, log
from console.lab.odoo.server import Server

if __name__ == "__main__":
    told = config.read(Path(sys.argv[1]))
    log.open_log(told.log_file)
    Server(told).run()
