"""The terminal's side of the pty: answers to queries, and the emulated link that delivers what was written."""

from __future__ import annotations

import re

from .screen import Emulator

QUERY = re.compile(
    rb"\x1b\[(?P<pre>[?>=]?)(?P<par>[0-9;]*)(?P<mid>\$?)(?P<fin>[cnptqu])"
    rb"|\x1b\[\?(?P<modes>[0-9;]+)(?P<hl>[hl])"
    rb"|\x1b\](?P<osc>1[0-2]);\?(?:\x07|\x1b\\)"
    rb"|\x1bP(?P<dcs>\+q|\$q)[^\x1b]*\x1b\\"
)
PARTIAL = re.compile(rb"\x1b(?:\[[?>=]?[0-9;]*\$?|\][^\x07\x1b]{0,40}\x1b?|P[^\x1b]{0,200}\x1b?)?$")


class Terminal:
    """What a run knows of its terminal; ``Run`` drives it."""

    def __init__(self, a):
        self.a = a
        self.cols, self.rows = (int(x) for x in a.size.split("x"))
        self.until = re.compile(a.until, re.M) if a.until else None
        self.chunks = []  # (t_readable, t_read, bytes)
        self.sent = []  # dict per key
        self.queries = {}
        self.tail = b""
        self.app_cursor = False
        self.mouse = False
        self.live = None  # lazily fed emulator
        self.live_fed = 0
        self.until_live = None
        self.outq = []  # (due, bytes)
        self.link_free = 0.0
        self.deliveries = []  # (t_deliver, bytes, lag)
        self.blocked = 0.0
        self.resizes = []

    # -- link
    def link(self, t_write, t_read, data):
        a = self.a
        half = a.latency_ms / 2000.0
        if not a.bandwidth_kbps:
            self.deliveries.append((t_read + half, data, t_read + half - t_write))
            return
        rate = a.bandwidth_kbps * 1000 / 8
        for i in range(0, len(data), 1400):
            part = data[i : i + 1400]
            self.link_free = max(self.link_free, t_read) + len(part) / rate
            due = self.link_free + half
            self.deliveries.append((due, part, due - t_write))

    def link_backlog(self, t):
        if not self.a.bandwidth_kbps:
            return 0
        return max(0.0, self.link_free - t) * self.a.bandwidth_kbps * 1000 / 8

    # -- live screen
    def feed_live(self, t):
        if self.live is None:
            self.live = Emulator(self.cols, self.rows)
        while self.live_fed < len(self.deliveries) and self.deliveries[self.live_fed][0] <= t:
            self.live.feed(self.deliveries[self.live_fed][1])
            self.live_fed += 1
        return self.live.screen

    def answer(self, data, t):
        buf = self.tail + data
        half = self.a.latency_ms / 2000.0
        last = 0
        for m in QUERY.finditer(buf):
            last = m.end()
            r = None
            if m["modes"]:
                for n in m["modes"].split(b";"):
                    if n == b"1":
                        self.app_cursor = m["hl"] == b"h"
                    elif n in (b"1000", b"1002", b"1003"):
                        self.mouse = m["hl"] == b"h"
                continue
            if m["osc"]:
                r = b"\x1b]%s;rgb:%s\x1b\\" % (m["osc"], b"0c0c/0c0c/0c0c" if m["osc"] == b"11" else b"d0d0/d0d0/d0d0")
                name = "OSC " + m["osc"].decode()
            elif m["dcs"]:
                name = "DCS " + m["dcs"].decode()
                r = b"\x1bP0+r\x1b\\" if m["dcs"] == b"+q" else b"\x1bP0$r\x1b\\"
            else:
                pre, par, mid, fin = m["pre"], m["par"], m["mid"], m["fin"]
                name = "CSI " + (pre + par + mid + fin).decode()
                if fin == b"c" and par in (b"", b"0"):
                    r = {b"": b"\x1b[?62;22c", b">": b"\x1b[>41;390;0c", b"=": b"\x1bP!|00000000\x1b\\"}.get(pre)
                elif fin == b"n" and par == b"5":
                    r = b"\x1b[0n"
                elif fin == b"n" and par == b"6":
                    due = max([d for d, _, _ in self.deliveries[-1:]] or [t])
                    scr = self.feed_live(due)
                    r = b"\x1b[%s%d;%dR" % (pre, scr.cursor.y + 1, min(scr.cursor.x, self.cols - 1) + 1)
                elif fin == b"p" and mid and par:
                    known = {b"2026": b"2" if not self.a.no_sync else b"0"}
                    r = b"\x1b[%s%s;%s$y" % (pre, par, known.get(par, b"0") if pre == b"?" else b"0")
                elif fin == b"u" and pre == b"?":
                    r = b"\x1b[?0u"
                elif fin == b"q" and pre == b">":
                    r = b"\x1bP>|ttymeter(1)\x1b\\"
                elif fin == b"t" and not pre and par == b"18":
                    r = b"\x1b[8;%d;%dt" % (self.rows, self.cols)
                elif fin == b"t" and not pre and par == b"14":
                    r = b"\x1b[4;%d;%dt" % (self.rows * 18, self.cols * 9)
                elif fin == b"t" and not pre and par == b"16":
                    r = b"\x1b[6;18;9t"
            if r is not None:
                self.queries[name] = self.queries.get(name, 0) + 1
                due = (self.deliveries[-1][0] if self.deliveries else t) + half
                self.outq.append((due, r, None))
        m = PARTIAL.search(buf, max(last, len(buf) - 260))
        self.tail = buf[m.start() :] if m else b""
