"""run a full-screen terminal program in a real pty and measure it.

    python -m tests.bench.meter [options] -- command [args...]

It reports (JSON on stdout): time to first byte, time to first screen that
matches --until, bytes/s, reads/s, frames/s, changed cells/s and CPU s/s of the
whole process tree in a steady-state window, peak RSS/PSS, the latency of each
scripted key, the lag over an emulated slow link, and how the program ended.

How it keeps out of the way: while the program runs the meter only reads the
pty, stamps each read and answers terminal queries with one regex.  The screen
(pyte) is rebuilt after the run by replaying the stamped reads, so the emulator
costs the program nothing.  Exceptions: --stop-at-until, keys relative to the
until moment ("u+0.5:q") and cursor-position queries need the screen while the
program runs; the emulator is then fed in quiet moments (>= 15 ms).

What the numbers mean
  t=0             just before fork()
  reads           read() calls on the pty master that returned data (a write of
                  more than 4 KiB arrives as several; writes that come closer
                  together than the meter is scheduled arrive as one)
  writes          exact write() calls to the tty, only with --strace (which
                  makes CPU and timing figures useless; they are then omitted)
  syscw           write-type system calls by the tree to any descriptor
  bursts          groups of reads with less than --burst-gap ms between them
  frames          points where the visible screen really changed
  cells           cells whose character or attributes changed, frame to frame
"""

from __future__ import annotations

import argparse
import json
import os
import statistics

from .run import Run


def medians(runs):
    """Median of every numeric leaf that all the runs have."""
    first = runs[0]
    if isinstance(first, dict):
        return {
            k: m
            for k in first
            if all(isinstance(r, dict) and k in r for r in runs) and (m := medians([r[k] for r in runs])) is not None
        }
    if isinstance(first, list):
        if all(isinstance(r, list) and len(r) == len(first) for r in runs):
            out = [medians(list(z)) for z in zip(*runs)]
            return out if any(x is not None for x in out) else None
        return None
    vals = [r for r in runs if isinstance(r, (int, float)) and not isinstance(r, bool)]
    return round(statistics.median(vals), 5) if vals else None


def main(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", default="200x50", help="COLSxROWS (default 200x50)")
    p.add_argument("--term", default="xterm-256color")
    p.add_argument("--no-truecolor", action="store_true", help="do not set COLORTERM=truecolor")
    p.add_argument("--no-sync", action="store_true", help="say that synchronized output (2026) is not supported")
    p.add_argument("--env", action="append", default=[], metavar="K=V")
    p.add_argument("--cwd")
    p.add_argument("--duration", type=float, default=10.0, help="seconds until the quit keys")
    p.add_argument("--warmup", type=float, default=3.0, help="start of the steady-state window")
    p.add_argument("--until", metavar="REGEX", help="time to the first screen that matches")
    p.add_argument("--stop-at-until", action="store_true", help="quit once --until matched (start-up measuring)")
    p.add_argument("--settle", type=float, default=0.2, help="with --stop-at-until: wait so long before quitting")
    p.add_argument(
        "--keys",
        metavar="T:KEYS,...",
        help='"2.0:f,3.5:<down>,4:<esc>,u+0.5:q"; also <click:X:Y> <wheelup:X:Y> <resize:WxH> <c-x> <a-x> <f1>',
    )
    p.add_argument(
        "--expect", action="append", default=[], metavar="N:REGEX", help="screen that key N should lead to (repeatable)"
    )
    p.add_argument("--quit", default="", metavar="KEYS", help="keys that end the program (default: SIGTERM)")
    p.add_argument("--quit-wait", type=float, default=5.0)
    p.add_argument("--latency-ms", type=float, default=0.0, help="round-trip time of the emulated link")
    p.add_argument("--bandwidth-kbps", type=float, default=0.0, help="kilobits per second, program to terminal")
    p.add_argument("--link-buffer-kb", type=float, default=128.0, help="what sshd+TCP hold before the pty blocks")
    p.add_argument("--burst-gap", type=float, default=10.0, help="ms of quiet that end a burst")
    p.add_argument("--extra", metavar="REGEX", help="also sum the CPU of processes whose command line matches")
    p.add_argument("--strace", action="store_true", help="count write() calls to the tty exactly (no CPU figures)")
    p.add_argument("--png", metavar="FILE", help="picture of the screen just before quitting")
    p.add_argument("--text", nargs="?", const="-", metavar="FILE", help="that screen as text (default: stderr)")
    p.add_argument(
        "--shot", action="append", default=[], metavar="T:FILE", help="screen at time T, .png or text (repeatable)"
    )
    p.add_argument("--font-size", type=int, default=15)
    p.add_argument("--raw", metavar="FILE", help="all bytes as written")
    p.add_argument("--cast", metavar="FILE", help="asciinema v2 recording")
    p.add_argument("--no-replay", action="store_true", help="no screen: bytes and CPU only")
    p.add_argument("--repeat", type=int, default=1, help="runs; more than one gives medians too")
    p.add_argument("--discard", type=int, default=0, help="extra first runs to throw away (warm the caches)")
    p.add_argument("-o", "--output", metavar="FILE", help="JSON here instead of stdout")
    p.add_argument("command", nargs=argparse.REMAINDER)
    a = p.parse_args(argv)
    if a.command[:1] == ["--"]:
        a.command = a.command[1:]
    if not a.command:
        p.error("no command")
    runs = []
    for i in range(a.repeat + a.discard):
        r = Run(a).go()
        if i >= a.discard:
            runs.append(r)
    load = os.getloadavg()[0]
    if len(runs) == 1:
        out = runs[0]
        out["loadavg1"] = round(load, 2)
    else:
        out = {
            "command": a.command,
            "runs": len(runs),
            "median": medians(runs),
            "loadavg1": round(load, 2),
            "all": runs,
        }
    text = json.dumps(out, indent=1, ensure_ascii=False)
    if a.output:
        with open(a.output, "w") as f:
            f.write(text + "\n")
    else:
        print(text)


if __name__ == "__main__":
    main()
