"""A screen as PNG. Box-drawing and block characters are drawn, so that joints meet."""

from __future__ import annotations

import os
import unicodedata

BASE16 = {
    "black": "000000",
    "red": "cd3131",
    "green": "0dbc79",
    "brown": "c5a000",
    "blue": "3b78ff",
    "magenta": "bc3fbc",
    "cyan": "11a8cd",
    "white": "d0d0d0",
    "brightblack": "767676",
    "brightred": "f14c4c",
    "brightgreen": "23d18b",
    "brightbrown": "f5f543",
    "brightyellow": "f5f543",
    "brightblue": "6aa0ff",
    "brightmagenta": "d670d6",
    "bfightmagenta": "d670d6",
    "brightcyan": "29d8eb",
    "brightwhite": "ffffff",
    "yellow": "c5a000",
}

BASIC8 = {"black", "red", "green", "brown", "blue", "magenta", "cyan", "white"}


def _box(ch):
    """(up, right, down, left) weights of a box-drawing character, from its name:
    1 light, 2 heavy, 3 double; None for those left to the font."""
    try:
        name = unicodedata.name(ch)
    except ValueError:
        return None
    if not name.startswith("BOX DRAWINGS ") or "DIAGONAL" in name:
        return None
    weight = {"LIGHT": 1, "SINGLE": 1, "HEAVY": 2, "DOUBLE": 3}
    segs = [s.split() for s in name[13:].split(" AND ")]
    if "DASH" in name:
        segs = [[w for w in s if w not in ("DOUBLE", "TRIPLE", "QUADRUPLE", "DASH")] for s in segs]
    general = next((weight[w] for s in segs for w in s if w in weight), 1)
    arms = [0, 0, 0, 0]
    for s in segs:
        wt = next((weight[w] for w in s if w in weight), general)
        for w in s:
            for i in {
                "UP": (0,),
                "RIGHT": (1,),
                "DOWN": (2,),
                "LEFT": (3,),
                "VERTICAL": (0, 2),
                "HORIZONTAL": (1, 3),
            }.get(w, ()):
                arms[i] = wt
    return tuple(arms)


def render_png(screen, path, size=15, font_dir="/usr/share/fonts/truetype/dejavu"):
    from PIL import Image, ImageDraw, ImageFont

    def font(name):
        return ImageFont.truetype(os.path.join(font_dir, name), size)

    reg = font("DejaVuSansMono.ttf")
    fonts = {(False, False): reg}
    for key, name in (
        ((True, False), "DejaVuSansMono-Bold.ttf"),
        ((False, True), "DejaVuSansMono-Oblique.ttf"),
        ((True, True), "DejaVuSansMono-BoldOblique.ttf"),
    ):
        try:
            fonts[key] = font(name)
        except OSError:
            fonts[key] = reg
    cw = round(reg.getlength("M"))
    asc, desc = reg.getmetrics()
    chh = asc + desc
    pad = 4
    img = Image.new("RGB", (screen.columns * cw + 2 * pad, screen.lines * chh + 2 * pad), "#0c0c0c")
    d = ImageDraw.Draw(img)

    def rgb(c, default):
        if c == "default":
            return default
        c = BASE16.get(c, c)
        try:
            return tuple(int(c[i : i + 2], 16) for i in (0, 2, 4))
        except ValueError:
            return default

    for y in range(screen.lines):
        row = screen.row(y)
        for x, c in enumerate(row):
            cf = "bright" + c.fg if c.bold and c.fg in BASIC8 else c.fg  # as xterm does
            fg, bg = rgb(cf, (208, 208, 208)), rgb(c.bg, (12, 12, 12))
            if c.reverse:
                fg, bg = bg, fg
            if c.blink:  # dim
                fg = tuple((3 * a + 2 * b) // 5 for a, b in zip(fg, bg))
            if not screen.cursor_hidden and (x, y) == (screen.cursor.x, screen.cursor.y):
                fg, bg = bg, (220, 220, 220)
            x0, y0 = pad + x * cw, pad + y * chh
            x1, y1 = x0 + cw - 1, y0 + chh - 1
            if bg != (12, 12, 12):
                d.rectangle((x0, y0, x1, y1), fill=bg)
            ch = c.data
            if ch and ch != " ":
                _glyph(d, ch, x0, y0, x1, y1, cw, chh, asc, fg, bg, fonts[(bool(c.bold), bool(c.italics))])
            if c.underscore:
                d.line((x0, y0 + asc + 2, x1, y0 + asc + 2), fill=fg)
            if c.strikethrough:
                d.line((x0, y0 + chh // 2, x1, y0 + chh // 2), fill=fg)
    img.save(path)


_BOX = {}


def _mix(a, b, t):
    return tuple(int(p * t + q * (1 - t)) for p, q in zip(a, b))


def _glyph(d, ch, x0, y0, x1, y1, w, h, asc, fg, bg, font):
    o = ord(ch[0])
    if 0x2800 <= o <= 0x28FF:  # braille
        bits = o - 0x2800
        rx = max(1, w // 8)
        for i, (cx, cy) in enumerate(((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))):
            if bits >> i & 1:
                px = x0 + round((cx + 0.5) * w / 2)
                py = y0 + round((cy + 0.5) * h / 4)
                d.ellipse((px - rx, py - rx, px + rx, py + rx), fill=fg)
        return
    if 0x2580 <= o <= 0x259F:  # blocks
        r = lambda a, b, c, e: d.rectangle(
            (x0 + round(a * w), y0 + round(b * h), x0 + round(c * w) - 1, y0 + round(e * h) - 1), fill=fg
        )
        if o == 0x2580:
            r(0, 0, 1, 0.5)
        elif o <= 0x2588:
            r(0, 1 - (o - 0x2580) / 8, 1, 1)
        elif o <= 0x258F:
            r(0, 0, (0x2590 - o) / 8, 1)
        elif o == 0x2590:
            r(0.5, 0, 1, 1)
        elif o <= 0x2593:
            d.rectangle((x0, y0, x1, y1), fill=_mix(fg, bg, (o - 0x2590) / 4))
        elif o == 0x2594:
            r(0, 0, 1, 1 / 8)
        elif o == 0x2595:
            r(7 / 8, 0, 1, 1)
        else:
            quads = {
                0x2596: "3",
                0x2597: "4",
                0x2598: "1",
                0x2599: "134",
                0x259A: "14",
                0x259B: "123",
                0x259C: "124",
                0x259D: "2",
                0x259E: "23",
                0x259F: "234",
            }[o]
            for q in quads:
                r(*{"1": (0, 0, 0.5, 0.5), "2": (0.5, 0, 1, 0.5), "3": (0, 0.5, 0.5, 1), "4": (0.5, 0.5, 1, 1)}[q])
        return
    if 0x2500 <= o <= 0x257F:
        if o not in _BOX:
            _BOX[o] = _box(ch)
        arms = _BOX[o]
        if arms:
            mx, my = x0 + w // 2, y0 + h // 2
            for i, wt in enumerate(arms):
                if not wt:
                    continue
                for off in (-1, 1) if wt == 3 else (0,):
                    wd = 2 if wt == 2 else 1
                    if i == 0:
                        d.line((mx + off, y0, mx + off, my), fill=fg, width=wd)
                    elif i == 1:
                        d.line((mx, my + off, x1, my + off), fill=fg, width=wd)
                    elif i == 2:
                        d.line((mx + off, my, mx + off, y1), fill=fg, width=wd)
                    else:
                        d.line((x0, my + off, mx, my + off), fill=fg, width=wd)
            return
    d.text((x0, y0 + asc), ch, font=font, fill=fg, anchor="ls")
