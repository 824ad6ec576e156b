"""One run of a program in a pty: read, stamp, answer queries, send keys, sample the process tree."""

from __future__ import annotations

import codecs
import ctypes
import errno
import fcntl
import json
import os
import re
import select
import signal
import struct
import tempfile
import termios
import time

from .keys import encode_keys, parse_keys
from .processes import match_pids, proc_sample, pss, tree
from .report import figures
from .terminal import Terminal

now = time.monotonic


class Run(Terminal):
    """One run; ``go()`` returns its figures."""

    def go(self):
        a = self.a
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.cols, self.cols * 9, self.rows * 18))
        env = dict(os.environ)
        for k in ("LINES", "COLUMNS", "NO_COLOR", "TMUX", "STY", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
            env.pop(k, None)
        env.update(TERM=a.term, COLORTERM="truecolor", LANG="C.UTF-8", LC_ALL="C.UTF-8")
        for kv in a.env:
            k, _, v = kv.partition("=")
            env[k] = v
        if a.no_truecolor:
            env.pop("COLORTERM")
        argv = list(a.command)
        trace = None
        if a.strace:
            trace = tempfile.NamedTemporaryFile(prefix="ttymeter-", suffix=".strace", delete=False).name
            argv = [
                "strace",
                "-f",
                "-qq",
                "-yy",
                "-e",
                "trace=write,writev,pwrite64,sendmsg",
                "-e",
                "signal=none",
                "-s",
                "0",
                "-o",
                trace,
            ] + argv
        t0 = self.t0 = now()
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for fd in (0, 1, 2):
                    os.dup2(slave, fd)
                os.closerange(3, 256)
                if a.cwd:
                    os.chdir(a.cwd)
                for s in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
                    signal.signal(s, signal.SIG_DFL)
                os.execvpe(argv[0], argv, env)
            except BaseException as e:  # noqa: BLE001
                os.write(2, f"ttymeter: {argv[0]}: {e}\r\n".encode())
            os._exit(127)
        os.close(slave)
        os.set_blocking(master, False)
        me = os.getpid()
        half = a.latency_ms / 2000.0
        keys = parse_keys(a.keys)
        pending = [(t, k, i) for i, (rel, t, k) in enumerate(keys) if not rel]
        relative = [(t, k, i) for i, (rel, t, k) in enumerate(keys) if rel]
        need_live = bool(relative or a.stop_at_until)
        samples = []
        extra_re = re.compile(a.extra) if a.extra else None
        next_sample = 0.0
        end = a.duration
        quitting = None
        quit_at = exit_at = None
        killed = None
        status = usage = None
        readable_since = None
        eof = False
        last_read = 0.0
        cpu_at_until = None
        execed = False
        with open("/proc/self/cmdline", "rb") as f:
            my_cmdline = f.read()
        self.pss = None
        extra0 = extra1 = None
        marks = {}
        outcome = {}
        buf_cap = a.link_buffer_kb * 1024

        def cpu_mark(name):
            marks[name] = (now() - t0,) + proc_sample(tree(me))

        while True:
            t = now() - t0
            # -- reap
            if status is None:
                try:
                    p, st, ru = os.wait4(pid, os.WNOHANG)
                except ChildProcessError:
                    p, st, ru = pid, 0, None
                if p == pid:
                    status, usage, exit_at = st, ru, t
            if status is not None and (eof or t - exit_at > 0.5):
                break
            # -- window marks and samples
            if status is None and "w0" not in marks and t >= a.warmup:
                cpu_mark("w0")
                if extra_re:
                    extra0 = (now() - t0, proc_sample(match_pids(extra_re))[0])
            if status is None and "w1" not in marks and t >= end and not quitting:
                cpu_mark("w1")
                self.pss = pss(tree(me))
                if extra_re:
                    ids = match_pids(extra_re)
                    extra1 = (now() - t0, proc_sample(ids)[0], pss(ids))
            if not execed and status is None:  # fork()ed, not yet exec()ed: our own memory
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as f:
                        execed = f.read() not in (my_cmdline, b"")
                except OSError:
                    pass
                if not execed:
                    next_sample = t + 0.005
            if t >= next_sample and status is None and execed:
                s = proc_sample(tree(me))
                samples.append((t,) + s)
                next_sample = t + (0.05 if t < 2 else 0.25)
            # -- until, while running
            if need_live and self.until and self.until_live is None and t - last_read >= 0.015:
                if self.live_fed < len(self.deliveries) or self.live is None:
                    scr = self.feed_live(t)
                    if not scr.sync and self.until.search(scr.text()):
                        self.until_live = t
                        cpu_at_until = proc_sample(tree(me))[0]
                        pending += [(t + dt, k, i) for dt, k, i in relative]
                        pending.sort()
                        relative = []
                        if a.stop_at_until:
                            end = t + a.settle
            # -- keys
            while pending and t >= pending[0][0] and status is None:
                due, spec, i = pending.pop(0)
                rec = {"n": i + 1, "key": spec, "t": t}
                self.sent.append(rec)
                if m := re.fullmatch(r"<resize:(\d+)x(\d+)>", spec):
                    self.resizes.append((t, int(m[1]), int(m[2])))
                    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", int(m[2]), int(m[1]), 0, 0))
                else:
                    self.outq.append((t + half, encode_keys(spec, self.app_cursor), rec))
            # -- end of the measured part: quit
            if not quitting and t >= end:
                quitting, quit_at = "keys" if a.quit else "TERM", t
                self.final_t = t
                if a.quit:
                    self.outq.append((t + half, encode_keys(a.quit, self.app_cursor), None))
                else:
                    os.kill(pid, signal.SIGTERM)
            elif quitting == "keys" and t > quit_at + a.quit_wait and status is None:
                quitting, killed = "TERM", "TERM"
                for p in tree(me):
                    try:
                        os.kill(p, signal.SIGTERM)
                    except OSError:
                        pass
            elif quitting == "TERM" and t > quit_at + a.quit_wait + 3 and status is None and killed != "KILL":
                killed = "KILL"
                for p in tree(me):
                    try:
                        os.kill(p, signal.SIGKILL)
                    except OSError:
                        pass
            # -- input to the program
            if self.outq:
                self.outq.sort(key=lambda q: q[0])
                while self.outq and self.outq[0][0] <= t:
                    _, data, rec = self.outq.pop(0)
                    try:
                        os.write(master, data)
                    except OSError:
                        pass
            # -- wait
            room = self.link_backlog(t) < buf_cap
            wait = min(next_sample - t, 0.25)
            if pending:
                wait = min(wait, pending[0][0] - t)
            if self.outq:
                wait = min(wait, self.outq[0][0] - t)
            if not quitting:
                wait = min(wait, end - t)
            if need_live and self.until_live is None:
                wait = min(wait, 0.016)
            if not room:
                wait = min(wait, 0.005)
            if status is not None:
                wait = 0.01
            r = []
            if not eof:
                if room:
                    r = select.select([master], [], [], max(0.0, wait))[0]
                else:
                    if readable_since is None and select.select([master], [], [], 0)[0]:
                        readable_since = now() - t0
                    time.sleep(max(0.0, wait))
            else:
                time.sleep(max(0.0005, min(wait, 0.01)))
            if r:
                t = now() - t0
                try:
                    data = os.read(master, 65536)
                except OSError as e:
                    if e.errno in (errno.EIO, errno.EBADF):
                        data = b""
                    elif e.errno == errno.EAGAIN:
                        continue
                    else:
                        raise
                if not data:
                    eof = True
                    continue
                t_write = readable_since if readable_since is not None else t
                if readable_since is not None:
                    self.blocked += t - readable_since
                    readable_since = None
                self.chunks.append((t_write, t, data))
                self.link(t_write, t, data)
                self.answer(data, t)
                last_read = t
        os.close(master)
        # -- anything left behind by the program is ours to reap (subreaper)
        left = tree(me)
        for p in left:
            try:
                os.kill(p, signal.SIGKILL)
            except OSError:
                pass
        while True:
            try:
                if os.waitpid(-1, 0)[0] == 0:
                    break
            except ChildProcessError:
                break
        if not quitting:
            self.final_t = exit_at

        # ------------------------------------------------------------ report
        R = outcome
        R["command"] = a.command
        R["size"] = a.size
        code = os.waitstatus_to_exitcode(status) if status is not None else None
        R["exit"] = {
            "code": code,
            "by": ("itself" if not quitting else ("SIG" + killed if killed else ("keys" if a.quit else "SIGTERM"))),
            "at_s": round(exit_at, 3),
            "leftover_processes": len(left),
        }
        if quit_at is not None and exit_at is not None:
            R["exit"]["after_quit_s"] = round(exit_at - quit_at, 3)
        R["first_byte_s"] = round(self.chunks[0][0], 4) if self.chunks else None
        if usage and not a.strace:
            R["cpu_total_s"] = round(usage.ru_utime + usage.ru_stime, 4)
            R["cpu_user_s"] = round(usage.ru_utime, 4)
            R["cpu_sys_s"] = round(usage.ru_stime, 4)
            R["root_maxrss_mb"] = round(usage.ru_maxrss / 1024, 1)  # never below the meter's own ~20 MB
        R["peak_rss_mb"] = round(max((s[2] for s in samples), default=0) / 1048576, 1)
        R["peak_processes"] = max((s[4] for s in samples), default=0)
        R["peak_threads"] = max((s[5] for s in samples), default=0)
        if self.pss is not None:
            R["pss_at_end_mb"] = round(self.pss / 1048576, 1)
        R["bytes_total"] = sum(len(c[2]) for c in self.chunks)
        R["reads_total"] = len(self.chunks)
        if cpu_at_until is not None and not a.strace:
            R["cpu_at_until_s"] = round(cpu_at_until, 3)
        if self.queries:
            R["queries_answered"] = self.queries
        if trace:
            w = nb = 0
            with open(trace, errors="replace") as f:
                for line in f:
                    if re.search(r"(write|writev)\(\d+<(/dev/pts/\d+|/dev/tty)", line):
                        m = re.search(r"= (\d+)$", line.strip())
                        if m:
                            w += 1
                            nb += int(m[1])
            os.unlink(trace)
            R["strace"] = {"tty_writes": w, "tty_bytes": nb, "mean_bytes_per_write": round(nb / w, 1) if w else None}
        figures(self, R, marks, extra0, extra1)
        if a.raw:
            with open(a.raw, "wb") as f:
                for c in self.chunks:
                    f.write(c[2])
        if a.cast:
            with open(a.cast, "w") as f:
                f.write(
                    json.dumps({"version": 2, "width": self.cols, "height": self.rows, "env": {"TERM": a.term}}) + "\n"
                )
                dec = codecs.getincrementaldecoder("utf-8")("replace")
                for t, data, _ in self.deliveries:
                    f.write(json.dumps([round(t, 5), "o", dec.decode(data)]) + "\n")
        return R
