"""``python -m console.lab``."""

from __future__ import annotations

import argparse
import sys

from console.lab.cli import add_commands, main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m console.lab")
    add_commands(parser)
    sys.exit(main(parser.parse_args()))
