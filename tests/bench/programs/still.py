"""The console on a board on which nothing ever changes: what is written then is what idling costs."""

import asyncio

import msgspec

from console.app import BanksmanApp
from console.feed.base import Feed
from tests.screens.boards import healthy


class Still(Feed):
    """A healthy board that stays as it is; its readings are not polled, so they never grow stale."""

    def __init__(self) -> None:
        super().__init__("live")
        for reading in healthy():
            self.board.put(msgspec.structs.replace(reading, every_s=0.0))

    async def open(self) -> None:
        self._tell(frozenset(reading.where for reading in self.board), state=True)

    async def close(self) -> None:
        await asyncio.sleep(0)

    def subscribe(self, topics: list[str]) -> None:
        pass


if __name__ == "__main__":
    BanksmanApp(Still()).run()
