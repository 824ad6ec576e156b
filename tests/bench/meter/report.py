"""The figures of a run, from its stamped bytes replayed through the emulator."""

from __future__ import annotations

import re
import statistics
import sys

from .picture import render_png
from .screen import Emulator


def figures(run, R, marks, extra0, extra1):
    """Replay the stamped bytes of ``run`` through the emulator and write its figures into ``R``."""
    a = run.a
    emu = Emulator(run.cols, run.rows)
    scr = emu.screen
    scr.dirty.clear()
    rows = [scr.row(y) for y in range(run.rows)]
    frames = []  # (t, cells changed)
    until_t = None
    first_paint = None
    shots = sorted((float(t), p) for t, _, p in (s.partition(":") for s in a.shot))
    expects = {}
    for e in a.expect:
        n, _, rx = e.partition(":")
        expects[int(n)] = re.compile(rx, re.M)
    keys = [dict(k) for k in run.sent]
    open_keys = list(keys)
    final_done = False
    resizes = list(run.resizes)

    half = a.latency_ms / 2000
    at = tw = 0.0  # delivery and write time of the bytes being fed

    def check():
        nonlocal until_t, first_paint
        if scr.sync:
            return
        t = at
        changed = 0
        for y in list(scr.dirty):
            if y >= scr.lines:
                continue
            new = scr.row(y)
            if new != rows[y]:
                changed += sum(1 for p, q in zip(new, rows[y]) if p != q)
                rows[y] = new
        scr.dirty.clear()
        if not changed:
            return
        frames.append((t, changed))
        text = None
        if first_paint is None and any(c.data.strip() for r in rows for c in r):
            first_paint = t
        if run.until and until_t is None:
            text = scr.text()
            if run.until.search(text):
                until_t = t
        for k in open_keys:
            if tw < k["t"] + half:  # written before the key reached the program
                continue
            k.setdefault("_change", t)
            if k["n"] in expects and "_expect" not in k:
                text = text or scr.text()
                if expects[k["n"]].search(text):
                    k["_expect"] = t

    def snapshot(path):
        if path.endswith(".png"):
            render_png(scr, path, a.font_size)
        else:
            with open(path, "w") as f:
                f.write(scr.text() + "\n")

    def finish():
        nonlocal final_done
        final_done = True
        if a.png:
            snapshot(a.png)
        if a.text:
            with sys.stderr if a.text == "-" else open(a.text, "w") as f:
                f.write(scr.text() + "\n")
        R["title"] = scr.title_text or None

    emu.on_frame = check
    for t, data, lag in run.deliveries if not a.no_replay else []:
        at, tw = t, t - lag
        while shots and shots[0][0] <= t:
            snapshot(shots.pop(0)[1])
        while resizes and resizes[0][0] <= t:
            _, c, r = resizes.pop(0)
            scr.resize(r, c)
            rows[:] = [scr.row(y) for y in range(r)]
        if not final_done and t > run.final_t + (a.latency_ms / 2000):
            finish()
        for k in open_keys:
            if tw >= k["t"] + half:
                k.setdefault("_output", t)
        emu.feed(data)
        check()
    for _, p in shots:
        snapshot(p)
    if not final_done:
        finish()
    R["first_paint_s"] = first_paint and round(first_paint, 4)
    if run.until:
        R["until_s"] = until_t and round(until_t, 4)
    if emu.unknown:
        R["unknown_sequences"] = emu.unknown
    # keys
    ft = [f[0] for f in frames]
    for i, k in enumerate(keys):
        horizon = keys[i + 1]["t"] if i + 1 < len(keys) else run.final_t
        seq = [t for t in ft if k["t"] < t <= horizon]
        settled = None
        for j, t in enumerate(seq):
            settled = t
            if j + 1 < len(seq) and seq[j + 1] - t > 0.05:
                break
        ms = lambda v: None if v is None else round((v - k["t"]) * 1000, 1)
        k["first_output_ms"] = ms(k.pop("_output", None))
        k["first_change_ms"] = ms(k.pop("_change", None))
        k["settled_ms"] = ms(settled)
        if k["n"] in expects:
            k["expect_ms"] = ms(k.pop("_expect", None))
        k["bytes_until_next_key"] = sum(len(c[2]) for c in run.chunks if k["t"] < c[1] <= horizon)
        k["t"] = round(k["t"], 4)
    if keys:
        R["keys"] = keys
    # steady state
    w0 = a.warmup
    w1 = min(a.duration, run.final_t) if not a.stop_at_until else None
    if w1 and w1 - w0 >= 0.5 and "w0" in marks:
        span = w1 - w0
        inw = [c for c in run.chunks if w0 <= c[1] < w1]
        fr = [f for f in frames if w0 <= f[0] < w1]
        bursts, prev = 0, -9.0
        sizes = []
        for c in inw:
            if c[1] - prev > a.burst_gap / 1000:
                bursts += 1
                sizes.append(0)
            sizes[-1] += len(c[2])
            prev = c[1]
        nbytes = sum(len(c[2]) for c in inw)
        cells = sum(f[1] for f in fr)
        S = {
            "window_s": [round(w0, 2), round(w1, 2)],
            "bytes_per_s": round(nbytes / span, 1),
            "reads_per_s": round(len(inw) / span, 2),
            "bursts_per_s": round(bursts / span, 2),
            "burst_bytes_median": statistics.median(sizes) if sizes else 0,
            "burst_bytes_max": max(sizes, default=0),
            "frames_per_s": round(len(fr) / span, 2),
            "cells_changed_per_s": round(cells / span, 1),
            "bytes_per_cell_changed": round(nbytes / cells, 2) if cells else None,
        }
        if "w1" in marks and not a.strace:
            m0, m1 = marks["w0"], marks["w1"]
            S["cpu_s_per_s"] = round((m1[1] - m0[1]) / (m1[0] - m0[0]), 5)
            S["syscw_per_s"] = round((m1[3] - m0[3]) / (m1[0] - m0[0]), 2)
            S["rss_mb"] = round(m1[2] / 1048576, 1)
        if extra0 and extra1:
            S["extra_cpu_s_per_s"] = round((extra1[1] - extra0[1]) / (extra1[0] - extra0[0]), 5)
            S["extra_pss_mb"] = round(extra1[2] / 1048576, 1)
        R["steady"] = S
    # link
    if a.bandwidth_kbps or a.latency_ms:
        lags = [(d[2], len(d[1])) for d in run.deliveries if w0 <= d[0] - d[2] < run.final_t]
        if lags:
            ls = sorted(x[0] for x in lags)
            q = lambda p: round(ls[min(len(ls) - 1, int(p * len(ls)))] * 1000, 1)
            L = {
                "rtt_ms": a.latency_ms,
                "kbps": a.bandwidth_kbps or None,
                "lag_ms_median": q(0.5),
                "lag_ms_p95": q(0.95),
                "lag_ms_max": round(ls[-1] * 1000, 1),
                "pty_blocked_s": round(run.blocked, 2),
            }
            if a.bandwidth_kbps:
                L["utilisation"] = round(
                    sum(x[1] for x in lags) * 8 / 1000 / a.bandwidth_kbps / max(0.1, run.final_t - w0), 3
                )
                L["bytes_still_queued_at_end"] = sum(
                    len(d[1]) for d in run.deliveries if d[0] - d[2] <= run.final_t < d[0]
                )
            R["link"] = L
