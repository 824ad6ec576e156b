"""A live table of 1,000 rows by 8 columns of which 200 visible cells change once a second (or none: ``--idle``)."""

import random
import sys

from textual.app import ComposeResult
from textual.screen import Screen

from console.app import BanksmanApp
from tests.bench.programs.still import Still
from widgets.table import Column, LiveTable, Row

ROWS, COLUMNS, VISIBLE, CHANGES = 1000, 8, 46, 200


class Table(Screen[None]):
    """One table, one tick a second."""

    def compose(self) -> ComposeResult:
        yield LiveTable([Column(f"c{number}", f"column {number}", 14, "right") for number in range(COLUMNS)])

    def on_mount(self) -> None:
        self.values = [[f"{row * 8 + column}" for column in range(COLUMNS)] for row in range(ROWS)]
        self.rows = [Row(key, tuple(cells)) for key, cells in enumerate(self.values)]
        self.random = random.Random(1)
        self.paint()
        if "--idle" not in sys.argv:
            self.set_interval(1.0, self.change)

    def paint(self) -> None:
        self.query_one(LiveTable).set_rows(self.rows)

    def change(self) -> None:
        for place in self.random.sample(range(VISIBLE * COLUMNS), CHANGES):
            self.values[place // COLUMNS][place % COLUMNS] = str(self.random.randrange(10**6))
        for key in range(VISIBLE):  # as a screen does it: rows whose reading did not change are the same objects
            self.rows[key] = Row(key, tuple(self.values[key]))
        self.paint()


class TableApp(BanksmanApp):
    """The console, with nothing on its screen but the table."""

    def get_default_screen(self) -> Screen[None]:
        return Table()


if __name__ == "__main__":
    TableApp(Still()).run()
