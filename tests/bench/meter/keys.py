"""Key specifications (`ab<down><c-c>`) as bytes."""

from __future__ import annotations

import re

NAMED = {
    "enter": "\r",
    "tab": "\t",
    "esc": "\x1b",
    "escape": "\x1b",
    "bs": "\x7f",
    "backspace": "\x7f",
    "space": " ",
    "lt": "<",
    "gt": ">",
    "comma": ",",
    "colon": ":",
    "s-tab": "\x1b[Z",
    "ins": "\x1b[2~",
    "del": "\x1b[3~",
    "pgup": "\x1b[5~",
    "pgdn": "\x1b[6~",
    "none": "",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    "f10": "\x1b[21~",
    "f11": "\x1b[23~",
    "f12": "\x1b[24~",
}
ARROWS = {"up": "A", "down": "B", "right": "C", "left": "D", "home": "H", "end": "F"}


def encode_keys(spec, app_cursor=False):
    """`ab<down><c-c>` -> bytes"""
    out = ""
    for part in re.findall(r"<[^<>]+>|[^<]", spec):
        if len(part) < 3:
            out += part
            continue
        name = part[1:-1].lower()
        if name in ARROWS:
            out += ("\x1bO" if app_cursor else "\x1b[") + ARROWS[name]
        elif name in NAMED:
            out += NAMED[name]
        elif name.startswith("c-") and len(name) == 3:
            out += chr(ord(name[2].upper()) ^ 64)
        elif name.startswith("a-"):
            out += "\x1b" + part[3:-1]
        elif m := re.fullmatch(r"(click|wheelup|wheeldown|move):(\d+):(\d+)", name):
            b = {"click": 0, "wheelup": 64, "wheeldown": 65, "move": 35}[m[1]]
            out += f"\x1b[<{b};{m[2]};{m[3]}M"
            if b == 0:
                out += f"\x1b[<0;{m[2]};{m[3]}m"
        else:
            raise SystemExit(f"unknown key {part}")
    return out.encode()


def parse_keys(text):
    """`2.0:f,3.5:<down>,u+0.5:q` -> [(relative_to_until, seconds, spec)]"""
    out = []
    for item in re.split(r",(?=(?:u\+)?[\d.]+:)", text or ""):
        if not item:
            continue
        when, _, key = item.partition(":")
        rel = when.startswith("u+")
        out.append((rel, float(when[2:] if rel else when), key))
    return out
