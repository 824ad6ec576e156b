"""Where frames come from: an engine's socket, or a recording. The same interface, so that the same screens show both.

    feed = EngineFeed(Path("environment.yaml"), kind="console")
    feed.listen(lambda change: ...)        # after every change of feed.board or feed.state, in the event loop
    await feed.open()                      # returns at once; connects and starts an engine in the background
    await feed.wait_ready(10)              # headless: until every configured pane has been read often enough
    pane_state(feed.board, pane, feed.now, feed.problem)
    await feed.request("refresh")          # raises FeedError with a sentence
    await feed.close()

    feed = await RecordingFeed.of(path)            # a file, or an engine's directory: engine_feed.place.recordings
    await feed.open(); feed.seek(moment); feed.play(); feed.speed = 10; feed.step(1); feed.pause()
    feed.start, feed.end, feed.now, feed.playing

One owner: the event loop in which ``open`` was called. ``feed.board`` stays the same object for life.
"""

from console.feed.base import Change, Feed, FeedError, FeedState
from console.feed.engine import EngineFeed
from console.feed.recording import RecordingFeed
from console.launch import start_engine_early

__all__ = ["Change", "EngineFeed", "Feed", "FeedError", "FeedState", "RecordingFeed", "start_engine_early"]
