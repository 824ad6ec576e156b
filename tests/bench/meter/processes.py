"""CPU, memory and system calls of a process tree, from /proc."""

from __future__ import annotations

import os

HZ = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def _children(pid):
    out = []
    try:
        for t in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{t}/children") as f:
                    out += [int(x) for x in f.read().split()]
            except OSError:
                pass
    except OSError:
        pass
    return out


def tree(root):
    todo, seen = _children(root), []
    while todo:
        p = todo.pop()
        seen.append(p)
        todo += _children(p)
    return seen


def proc_sample(pids):
    cpu = rss = syscw = 0
    n = thr = 0
    for p in pids:
        try:
            with open(f"/proc/{p}/stat") as f:
                s = f.read().rsplit(")", 1)[1].split()
            own = (int(s[11]) + int(s[12])) / HZ
            fine = 0
            for t in os.listdir(f"/proc/{p}/task"):  # ns, but forgets ended threads
                with open(f"/proc/{p}/task/{t}/schedstat") as g:
                    fine += int(g.read().split()[0])
            fine /= 1e9
            cpu += (fine if own - 0.011 <= fine <= own + 0.03 else own) + (int(s[13]) + int(s[14])) / HZ
            rss += int(s[21]) * PAGE
            thr += int(s[17])
            n += 1
            with open(f"/proc/{p}/io") as f:
                for line in f:
                    if line.startswith("syscw"):
                        syscw += int(line.split()[1])
        except (OSError, IndexError):
            pass
    return cpu, rss, syscw, n, thr


def pss(pids):
    total = 0
    for p in pids:
        try:
            with open(f"/proc/{p}/smaps_rollup") as f:
                for line in f:
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        except OSError:
            pass
    return total


def match_pids(regex):
    out = []
    for p in os.listdir("/proc"):
        if p.isdigit() and int(p) != os.getpid():
            try:
                with open(f"/proc/{p}/cmdline", "rb") as f:
                    if regex.search(f.read().replace(b"\0", b" ").decode("utf-8", "replace")):
                        out.append(int(p))
            except OSError:
                pass
    return out
