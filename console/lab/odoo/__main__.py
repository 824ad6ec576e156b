"""``python -m console.lab.odoo CONFIG.json [--http-interface=ADDRESS]``: one tenant's server."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from console.lab.odoo import config, log
from console.lab.odoo.server import Server

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m console.lab.odoo")
    parser.add_argument("config", type=Path)
    parser.add_argument("--http-interface", default="", help="instead of the configuration's: a pod's own address")
    args = parser.parse_args()
    told = config.read(args.config)
    if args.http_interface:
        told = msgspec.structs.replace(told, interface=args.http_interface)
    log.open_log(told.log_file, echo=told.echo_log)
    Server(told).run()
