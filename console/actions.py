"""The one registry of everything a person can do: it feeds bindings, help, palette, read-only filtering and the README.

Only what is built stands here; a key whose action is not built is not bound. Keys are named as Textual names them, but
nothing here imports it. ``run`` is what the screen stack executes: ``app.…`` on the application, ``screen.…`` on the
screen, without prefix on the widget in focus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Scope = Literal["app", "pane", "sections", "table", "replay", "page"]
"""Where a key is alive: everywhere; on a pane; in a table or list; while a recording is shown; on a page of text."""

Needs = Literal["read", "act"]

SCOPE_TITLES: dict[Scope, str] = {
    "app": "Everywhere",
    "pane": "On a pane",
    "sections": "On a pane with sections",
    "table": "In a table or list",
    "replay": "In a recording",
    "page": "On a page of text",
}


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a person can do."""

    id: str
    """Stable: key maps name it. ``scope.what``."""
    keys: tuple[str, ...] = ()
    """As Textual names them (``ctrl+r``, ``question_mark``); none: palette only."""
    shown_as: str = ""
    """How the key is written for people, where that is not plain."""
    label: str
    """Two words at most, for the key bar and the palette."""
    help: str
    """One sentence."""
    scope: Scope
    run: str
    """Empty: the widget listens for the key by itself; the entry is for help."""
    needs: Needs = "read"
    screen: str = ""
    """Name of the screen it opens or belongs to; empty: any."""
    bar: int = 0
    """Place in the key bar: 0 not in it, else the lower the sooner it gets room."""
    palette: bool = True


def _pane(number: int, name: str, label: str, what: str) -> Action:
    return Action(
        id=f"pane.{name}",
        keys=(str(number),),
        label=label,
        help=what,
        scope="app",
        run=f"app.pane('{name}')",
        screen=name,
        bar=20 + number,
    )


def _section(pane: str, tab: str, label: str, what: str) -> Action:
    """A tab of a pane, from anywhere, by the palette."""
    return Action(id=f"{pane}.{tab}", label=label, help=what, scope="app", run=f"app.section('{pane}', '{tab}')")


ACTIONS: tuple[Action, ...] = (
    _pane(1, "overview", "Overview", "Is it bad, for whom, why, what now: findings, then a tile for each system."),
    _pane(2, "cluster", "Cluster", "Kubernetes: nodes and zones, workloads, pods, scalers, quotas, budgets, events, images."),
    _pane(3, "database", "Database", "PostgreSQL: members and lag, sessions and locks, statements, I/O, slots, settings."),
    _pane(4, "cache", "Cache", "Redis or Valkey: members and Sentinels, memory, clients, keys, slow calls."),
    _pane(5, "ingress", "Ingress", "Traefik: routes with their traffic, backends, middlewares, certificates, what went wrong."),
    _pane(7, "application", "Tenants", "Odoo: which tenants hurt and why: pages, scheduled jobs, queue, mail, attachments, modules."),
    Action(id="app.help", keys=("question_mark", "f1"), shown_as="?", label="Help", help="The keys that are alive here, and what they do.", scope="app", run="app.help", bar=90),
    Action(id="app.palette", keys=("colon", "ctrl+p"), shown_as=":", label="Commands", help="Find any action by a few letters of its name.", scope="app", run="app.palette", bar=80, palette=False),
    Action(id="app.hold", keys=("p",), label="Hold", help="Hold the picture still: nothing is written until p again; what happens meanwhile is not lost.", scope="app", run="app.hold", bar=60),
    Action(id="app.travel", keys=("t",), label="Time travel", help="Go back through the engine's own recording on these same screens; t again returns to now.", scope="app", run="app.travel", bar=61),
    Action(id="app.refresh", keys=("ctrl+r",), label="Refresh", help="Ask every source again now; with the engine gone, start it again.", scope="app", run="app.refresh", bar=70),
    Action(id="app.theme", label="Dark or light", help="Change between the dark and the light theme.", scope="app", run="app.change_theme"),
    Action(id="app.back", keys=("escape", "q"), shown_as="Esc q", label="Back", help="A filter off, else back to where you came from; on the overview it leaves the console.", scope="app", run="app.back", bar=95, palette=False),
    Action(id="app.quit", label="Quit", help="Leave the console. A private engine ends by itself after ten seconds.", scope="app", run="app.quit"),
    Action(id="app.interrupt", keys=("ctrl+c",), label="Interrupt", help="Does not end the console by itself: q does.", scope="app", run="app.interrupt", palette=False),
    Action(id="focus.next", keys=("tab",), label="Next part", help="To the next table or list of this screen.", scope="app", run="app.focus_next", palette=False),
    Action(id="focus.previous", keys=("shift+tab",), label="Previous part", help="To the table or list before.", scope="app", run="app.focus_previous", palette=False),
    Action(id="pane.filter", keys=("slash",), shown_as="/", label="Filter", help="Show only rows with these words, as you type; ! in front: only rows without. Esc shows all again.", scope="pane", run="screen.filter", bar=40),
    Action(id="pane.describe", keys=("d",), label="Describe", help="Everything known of the row under the cursor.", scope="pane", run="screen.describe", bar=42),
    Action(id="pane.log", keys=("l",), label="Log", help="The end of the log that belongs to the row under the cursor: of a server, a pod, or the worst pod of a workload.", scope="pane", run="screen.log", bar=43),
    Action(id="sections.before", keys=("left_square_bracket", "comma"), shown_as="[", label="Before", help="The cluster, cache, ingress or tenant before, where there are several (in a recording: the comma).", scope="sections", run="screen.subject(-1)", palette=False),
    Action(id="sections.after", keys=("right_square_bracket", "full_stop"), shown_as="]", label="Next", help="The next cluster, cache, ingress or tenant, where there are several (in a recording: the full stop).", scope="sections", run="screen.subject(1)", bar=44),
    Action(id="sections.member", keys=("m",), label="Member", help="Whose sessions, statements and calls are shown: the primary's, or each member's in turn.", scope="sections", run="screen.member", bar=45),
    Action(id="table.up", keys=("up", "k"), shown_as="↑ k", label="Up", help="One row up.", scope="table", run="move(-1)", palette=False),
    Action(id="table.down", keys=("down", "j"), shown_as="↓ j", label="Down", help="One row down.", scope="table", run="move(1)", palette=False),
    Action(id="table.left", keys=("left", "h"), shown_as="← h", label="Left", help="To the part or page at the left.", scope="table", run="screen.aside(-1)", palette=False),
    Action(id="table.right", keys=("right",), shown_as="→", label="Right", help="To the part or page at the right.", scope="table", run="screen.aside(1)", palette=False),
    Action(id="table.page_up", keys=("pageup", "ctrl+b"), shown_as="PgUp", label="Page up", help="One page up.", scope="table", run="page(-1)", palette=False),
    Action(id="table.page_down", keys=("pagedown", "ctrl+f"), shown_as="PgDn", label="Page down", help="One page down.", scope="table", run="page(1)", palette=False),
    Action(id="table.first", keys=("g", "home"), label="First", help="To the first row.", scope="table", run="first", palette=False),
    Action(id="table.last", keys=("G", "end"), label="Last", help="To the last row.", scope="table", run="last", palette=False),
    Action(id="table.select", keys=("enter",), shown_as="Enter", label="Open", help="Into the row: its own screen, its evidence and runbook, an object of a cluster as YAML, or all that is known of it.", scope="table", run="select", bar=30),
    Action(id="table.mark", keys=("space",), shown_as="Space", label="Mark", help="Mark the row; what follows (copy) takes all marked rows.", scope="table", run="mark", palette=False),
    Action(id="table.copy", keys=("c",), label="Copy", help="The row, or all marked rows, to the clipboard of the terminal you sit at (OSC 52).", scope="table", run="copy", bar=50),
    Action(id="table.sort", shown_as="shift+letter", label="Sort", help="Sort by the column whose underlined letter it is; again turns the order round, a third time ends it.", scope="table", run="", palette=False),
    _section("cluster", "workloads", "Workloads", "Deployments, StatefulSets and DaemonSets: what lacks replicas, and why."),
    _section("cluster", "pods", "Pods", "Pods of the cluster, those in trouble first."),
    _section("cluster", "nodes", "Nodes", "Nodes by zone: ready, pressures, what is asked of them and used."),
    _section("cluster", "scalers", "Scalers", "HorizontalPodAutoscalers: who is at a limit."),
    _section("cluster", "quotas", "Quotas", "Quotas of namespaces, the fullest first."),
    _section("cluster", "budgets", "Disruption budgets", "PodDisruptionBudgets: what blocks a drain."),
    _section("cluster", "events", "Warning events", "Warnings of the cluster, newest first."),
    _section("cluster", "images", "Images", "Images of workloads: what runs, which tags may move, what differs."),
    _section("database", "sessions", "Sessions", "Who is connected to PostgreSQL and what they do, not idle first."),
    _section("database", "blocking", "Blocking tree", "Who waits for whose lock in PostgreSQL, heads first."),
    _section("database", "statements", "Statements", "SQL by its share of time since the last look."),
    _section("database", "io", "Database I/O", "Reads and writes by who does them, checkpoints, WAL."),
    _section("database", "databases", "Databases", "Size, connections, transactions and freezing of each database."),
    _section("database", "slots", "Slots and archive", "Replication slots with the WAL they keep, and the archiver."),
    _section("database", "settings", "Settings", "PostgreSQL settings of all members: what differs, changed or waits for a restart."),
    _section("database", "roles", "Roles", "Roles and rights; changed ones first."),
    _section("database", "members", "Members", "Members of a cluster: SQL's word and Patroni's side by side."),
    _section("cache", "servers", "Cache servers", "Memory, evictions, hit ratio, ops and round trips of each server."),
    _section("cache", "clients", "Cache clients", "Connections to the cache by application."),
    _section("cache", "keys", "Big keys", "The keys that take most memory, by sampling."),
    _section("cache", "queues", "Queues", "Depths of the queues that the environment names."),
    _section("cache", "slow", "Slow log", "Slow calls of the cache, newest first."),
    _section("cache", "sentinels", "Sentinels", "What each Sentinel sees, and whether they could fail over."),
    _section("ingress", "routers", "Routers", "Routes of the ingress: whose, how often asked, errors and latency against what is usual."),
    _section("ingress", "services", "Ingress services", "Services behind the routes, and which of their servers are up."),
    _section("ingress", "middlewares", "Middlewares", "Middlewares of the ingress; those that a route names and that are missing first."),
    _section("ingress", "certificates", "Certificates", "Certificates as they are served: days left, chain, names; the worst first."),
    _section("ingress", "entry_points", "Entry points", "Entry points of each Traefik: open connections and traffic."),
    _section("ingress", "errors", "Ingress errors", "What the access log tells of requests that went wrong, or were slow."),
    _section("application", "pages", "Tenant's pages", "Timed log-in, project, document and purchase of the tenant under the cursor."),
    _section("application", "jobs", "Scheduled jobs", "Scheduled jobs of the tenant under the cursor: late, failing, switched off, running."),
    _section("application", "queue", "Tenant's queue", "Channels and failed functions of queue_job of the tenant under the cursor."),
    _section("application", "mail", "Tenant's mail", "Outgoing mail of the tenant under the cursor, and why some was refused."),
    _section("application", "files", "Attachments", "Attachments of the tenant under the cursor: where they are, which are gone."),
    _section("application", "events", "Tenant's log events", "What the log of the tenant under the cursor tells that no table does."),
    Action(id="replay.play", shown_as="p", label="Play", help="Play or pause.", scope="replay", run="", bar=10, palette=False),
    Action(id="replay.back", keys=("left_square_bracket",), shown_as="[", label="Back 1 s", help="One second back; { ten seconds; ( a minute.", scope="replay", run="app.step(-1)", palette=False),
    Action(id="replay.on", keys=("right_square_bracket",), shown_as="]", label="On 1 s", help="One second on; } ten seconds; ) a minute.", scope="replay", run="app.step(1)", palette=False),
    Action(id="replay.back10", keys=("left_curly_bracket",), shown_as="{", label="Back 10 s", help="Ten seconds back.", scope="replay", run="app.step(-10)", bar=11, palette=False),
    Action(id="replay.on10", keys=("right_curly_bracket",), shown_as="}", label="On 10 s", help="Ten seconds on.", scope="replay", run="app.step(10)", bar=12, palette=False),
    Action(id="replay.back60", keys=("left_parenthesis",), shown_as="(", label="Back 1 min", help="A minute back.", scope="replay", run="app.step(-60)", palette=False),
    Action(id="replay.on60", keys=("right_parenthesis",), shown_as=")", label="On 1 min", help="A minute on.", scope="replay", run="app.step(60)", palette=False),
    Action(id="replay.slower", keys=("minus",), shown_as="-", label="Slower", help="Half the speed.", scope="replay", run="app.speed(0.5)", palette=False),
    Action(id="replay.faster", keys=("plus", "equals_sign"), shown_as="+", label="Faster", help="Twice the speed.", scope="replay", run="app.speed(2)", palette=False),
    Action(id="replay.jump", keys=("J",), shown_as="J", label="Jump", help="To a moment: 02:41, 02:41:30, -5m, start or end.", scope="replay", run="app.jump", bar=13),
)  # fmt: skip
"""Everything, in the order in which help shows it."""


class ActionError(ValueError):
    """A key map that cannot be used; the text says why."""


def by_id(identifier: str, actions: Iterable[Action] = ACTIONS) -> Action | None:
    """The action of this id."""
    return next((action for action in actions if action.id == identifier), None)


def of_scope(scope: Scope, actions: Iterable[Action] = ACTIONS) -> list[Action]:
    """The actions that are alive in one scope."""
    return [action for action in actions if action.scope == scope]


def allowed(actions: Iterable[Action], *, read_only: bool) -> list[Action]:
    """What may be done: with ``read_only`` nothing that acts is even bound."""
    return [action for action in actions if action.needs == "read" or not read_only]


def written(action: Action) -> str:
    """Its keys as people write them: ``?``, ``Esc q``, ``ctrl+r``."""
    return action.shown_as or " ".join(action.keys)


def check_keymap(keymap: Mapping[str, str]) -> None:
    """Raises ActionError where a key map names an action that does not exist, or binds a key twice in one scope."""
    taken: dict[tuple[str, str], str] = {}
    known = {action.id: action for action in ACTIONS}
    for identifier in keymap:
        if identifier not in known:
            raise ActionError(f"no action is called {identifier}; `?` lists them with their keys")
    for action in ACTIONS:
        keys = keymap[action.id].split(",") if action.id in keymap else action.keys
        for key in keys:
            other = taken.setdefault((action.scope, key.strip()), action.id)
            if other != action.id:
                raise ActionError(f"{key} is bound twice: {other} and {action.id}")


def key_table(actions: Iterable[Action] = ACTIONS) -> str:
    """The table of keys in the README, in Markdown."""
    rows = ["| key | does | |", "|---|---|---|"]
    rows += [f"| `{written(action)}` | {action.label} | {action.help} |" for action in actions if written(action)]
    return "\n".join(rows)
