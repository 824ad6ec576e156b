"""The emulated screen: bytes in, cells out."""

from __future__ import annotations

import codecs
import re

import pyte


class Screen(pyte.Screen):
    """pyte's screen plus REP, SU/SD, CBT, alternate screen, dim, colon SGR."""

    def __init__(self, cols, rows):
        self.last_char = " "
        self.sync = False  # inside CSI ? 2026 h ... l
        self.cursor_hidden = False
        self.title_text = ""
        self._alt = None
        super().__init__(cols, rows)

    def draw(self, data):
        if data:
            self.last_char = data[-1]
        super().draw(data)

    def scroll_up(self, n):
        keep_y, keep_x = self.cursor.y, self.cursor.x
        bottom = self.margins.bottom if self.margins else self.lines - 1
        for _ in range(min(n, self.lines)):
            self.cursor.y = bottom
            self.index()
        self.cursor.y, self.cursor.x = keep_y, keep_x

    def scroll_down(self, n):
        keep_y, keep_x = self.cursor.y, self.cursor.x
        top = self.margins.top if self.margins else 0
        for _ in range(min(n, self.lines)):
            self.cursor.y = top
            self.reverse_index()
        self.cursor.y, self.cursor.x = keep_y, keep_x

    def alt_screen(self, on):
        if on and self._alt is None:
            self._alt = {y: dict(self.buffer[y]) for y in range(self.lines)}
            self.save_cursor()
            self.erase_in_display(2)
        elif not on and self._alt is not None:
            for y, row in self._alt.items():
                self.buffer[y].clear()
                self.buffer[y].update(row)
            self.dirty.update(range(self.lines))
            self._alt = None
            self.restore_cursor()

    def row(self, y):
        line, d = self.buffer[y], self.default_char
        get = line.get
        return tuple(get(x, d) for x in range(self.columns))

    def text_row(self, y):
        return "".join(c.data for c in self.row(y))

    def text(self):
        return "\n".join(self.text_row(y).rstrip() for y in range(self.lines))


TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f\x80-\x9f]+)"
    r"|\x1b\[(?P<pre>[<=>?]?)(?P<par>[0-9;:]*)(?P<mid>[ -/]*)(?P<fin>[@-~])"
    r"|\x1b\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|\x1b(?P<str>[P_^X])(?P<body>(?:[^\x1b]|\x1b(?!\\))*)\x1b\\"
    r"|\x1b(?P<set>[()*+ #%])(?P<chs>.)"
    r"|\x1b(?P<esc>[0-OQ-WYZ\\`-~])"
    r"|(?P<ctl>[\x00-\x1a\x1c-\x1f\x7f\x80-\x9f])",
    re.S,
)

CSI = {
    "@": "insert_characters",
    "A": "cursor_up",
    "B": "cursor_down",
    "C": "cursor_forward",
    "D": "cursor_back",
    "E": "cursor_down1",
    "F": "cursor_up1",
    "G": "cursor_to_column",
    "`": "cursor_to_column",
    "L": "insert_lines",
    "M": "delete_lines",
    "P": "delete_characters",
    "X": "erase_characters",
    "a": "cursor_forward",
    "e": "cursor_down",
    "d": "cursor_to_line",
}


class Emulator:
    """Bytes in, pyte screen out.  A tokenizer of its own: pyte's stream prints
    parts of several sequences that Textual, btop and ncurses send."""

    def __init__(self, cols, rows):
        self.screen = Screen(cols, rows)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest = ""
        self.unknown = {}
        self.on_frame = None  # called when synchronized output ends

    def feed(self, data: bytes):
        buf = self.rest + self.decoder.decode(data)
        pos, match, scr = 0, TOKEN.match, self.screen
        while pos < len(buf):
            m = match(buf, pos)
            if m is None:
                if buf[pos] == "\x1b" and len(buf) - pos < 65536:
                    nxt = buf.find("\x1b", pos + 1)
                    if nxt < 0 or buf[pos + 1 : pos + 2] in "P_^X]":
                        break  # incomplete: wait for more
                    self._unknown(repr(buf[pos:nxt][:12]))
                    pos = nxt
                    continue
                pos += 1
                continue
            pos = m.end()
            if m["text"] is not None:
                scr.draw(m["text"])
            elif m["fin"]:
                self.csi(m["pre"], m["par"], m["mid"], m["fin"])
            elif m["ctl"]:
                self.control(m["ctl"])
            elif m["osc"] is not None:
                if m["osc"][:2] in ("0;", "2;"):
                    scr.title_text = m["osc"][2:]
            elif m["set"]:
                if m["set"] in "()":
                    scr.define_charset(m["chs"], m["set"])
            elif m["esc"]:
                self.escape(m["esc"])
        self.rest = buf[pos:]

    def _unknown(self, what):
        self.unknown[what] = self.unknown.get(what, 0) + 1

    def control(self, c):
        s = self.screen
        if c == "\n" or c in "\x0b\x0c":
            s.linefeed()
        elif c == "\r":
            s.carriage_return()
        elif c == "\b":
            s.backspace()
        elif c == "\t":
            s.tab()
        elif c == "\x0e":
            s.shift_out()
        elif c == "\x0f":
            s.shift_in()

    def escape(self, c):
        s = self.screen
        if c == "c":
            s.reset()
        elif c == "D":
            s.index()
        elif c == "E":
            s.carriage_return(), s.index()
        elif c == "M":
            s.reverse_index()
        elif c == "H":
            s.set_tab_stop()
        elif c == "7":
            s.save_cursor()
        elif c == "8":
            s.restore_cursor()
        elif c not in "=>\\":
            self._unknown("ESC " + c)

    def csi(self, pre, par, mid, fin):
        s = self.screen
        if mid:
            return  # DECSCUSR, DECRQM, ...
        if fin == "m" and not pre:
            return self.sgr(par)
        nums = [int(p) if p.isdigit() else 0 for p in par.split(";")] if par else []
        if pre == "?" and fin in "hl":
            on = fin == "h"
            for n in nums:
                if n == 2026:
                    s.sync = on
                    if not on and self.on_frame:
                        self.on_frame()
                elif n in (47, 1047, 1049):
                    s.alt_screen(on)
                elif n == 25:
                    s.cursor_hidden = not on
                elif n in (5, 6, 7):
                    (s.set_mode if on else s.reset_mode)(n, private=True)
            return
        if pre:
            return
        n = nums[0] if nums else 0
        if fin in "Hf":
            s.cursor_position(*(nums[:2] or [1]))
        elif fin == "J":
            s.erase_in_display(n)
        elif fin == "K":
            s.erase_in_line(n)
        elif fin == "r":
            s.set_margins(*[x or None for x in nums[:2]])
        elif fin in CSI:
            getattr(s, CSI[fin])(*nums[:1])
        elif fin in "hl":
            (s.set_mode if fin == "h" else s.reset_mode)(*nums)
        elif fin == "b":
            s.draw(s.last_char * min(max(n, 1), s.columns * s.lines))
        elif fin == "S":
            s.scroll_up(n or 1)
        elif fin == "T":
            s.scroll_down(n or 1)
        elif fin == "Z":
            for _ in range(n or 1):
                s.cursor.x = max((t for t in s.tabstops if t < s.cursor.x), default=0)
        elif fin == "g":
            s.clear_tab_stop(n)
        elif fin == "s":
            s.save_cursor()
        elif fin == "u":
            s.restore_cursor()
        elif fin not in "cntqp":
            self._unknown("CSI " + fin)

    def sgr(self, par):
        if ":" not in par:
            nums = [int(p) if p else 0 for p in par.split(";")] if par else [0]
        else:
            nums = []
            for p in par.split(";"):
                sub = p.split(":")
                if sub[0] in ("38", "48") and len(sub) > 2:
                    vals = [int(v or 0) for v in sub]
                    if vals[1] == 2:
                        vals = vals[:2] + vals[-3:]
                    nums += vals
                elif sub[0] == "4":
                    nums.append(24 if sub[1:2] == ["0"] else 4)
                elif sub[0] != "58":
                    nums.append(int(sub[0] or 0))
        scr = self.screen
        if 2 not in nums and 22 not in nums and 58 not in nums:
            return scr.select_graphic_rendition(*nums)
        out, i = [], 0  # dim rides in pyte's `blink` field
        while i < len(nums):
            v = nums[i]
            if v in (38, 48, 58) and i + 1 < len(nums):
                step = 5 if nums[i + 1] == 2 else 3
                if v != 58:
                    out += nums[i : i + step]
                i += step
                continue
            out += {2: [5], 22: [22, 25], 5: [], 25: []}.get(v, [v])
            i += 1
        if out:
            scr.select_graphic_rendition(*out)
