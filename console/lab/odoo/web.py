"""The application: requests to answers, with sessions."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import psycopg2  # type: ignore[import-untyped]
import redis

from console.lab.odoo import attachments, log, pages, sessions, users, wire
from console.lab.odoo.config import Config
from console.lab.odoo.database import Cursor, Databases
from console.lab.odoo.errors import AccessDenied, NotFound, SessionExpired
from console.lab.odoo.rpc import Caller, Spent, answer
from console.lab.odoo.sessions import Session
from console.lab.odoo.versions import VERSIONS
from console.lab.odoo.wire import Request, Response

_JSON = {"/web/session/authenticate", "/web/session/get_session_info", "/web/session/destroy", "/web/database/list"}


class Visit:
    """One request with its session and database."""

    def __init__(self, request: Request, session: Session, database: str | None) -> None:
        self.request = request
        self.session = session
        self.database = database
        self.rotate = False
        self.spent = Spent()


class Application:
    """Of one worker."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.version = VERSIONS[config.version]
        self.databases = Databases(config)
        self.data_dir = Path(config.data_dir)
        self._store = sessions.store(config, self.version)
        self._caller = Caller(self.databases, self.version, self.data_dir)
        self._filter = re.compile(config.dbfilter)

    @property
    def server(self) -> str:
        """For the header of this name."""
        return f"Werkzeug/{self.version.werkzeug} Python/3.11.2"

    def handle(self, request: Request) -> tuple[Response, Spent]:
        """The answer, and what it cost in the database."""
        spent = Spent()
        path = request.path.rstrip("/") or "/"
        if path == "/web/health":
            return self._finish(self._health(request)), spent
        if path == "/jsonrpc":
            return self._jsonrpc(request, spent), spent
        visit = Visit(request, Session(self.version.new_sid()), None)
        try:
            self._recognise(visit)
            response, good = self._route(path, visit)
            if good:
                self._keep(visit, response)
                self._finish(response)
        except NotFound:
            response = pages.failure(self.version, 404)
        except (psycopg2.Error, redis.RedisError, OSError) as error:
            log.line("ERROR", visit.database, "odoo.http", f"Exception during request handling.\n{error}".strip())
            response = pages.failure(self.version, 500)
        return response, visit.spent

    def _finish(self, response: Response) -> Response:
        if self.version.modern:
            response.put("X-Content-Type-Options", "nosniff")
        return response

    def _route(self, path: str, visit: Visit) -> tuple[Response, bool]:
        pages_of: dict[str, Callable[[Visit], Response]] = {
            "/": self._root, "/web": self._client, "/odoo": self._client, "/web/login": self._login,
            "/web/database/selector": self._selector,
        }  # fmt: skip
        if path in pages_of and not (path == "/odoo" and self.version.major < 18):
            return pages_of[path](visit), True
        anywhere = path in ("/web/session/authenticate", "/web/database/list")
        if not visit.database and not anywhere:
            raise NotFound
        if path in _JSON or path.startswith("/web/dataset/call_kw"):
            return self._json(path, visit)
        if found := re.fullmatch(r"/web/content/(\d+)(?:/.*)?", path):
            return self._content(int(found[1]), visit), True
        return pages.fallback(self.version), True

    def _health(self, request: Request) -> Response:
        if not self.version.modern or request.query.get("db_server_status") in (None, "", "0"):
            return pages.health({"status": "pass"})
        try:
            self.databases.connect(self.config.maintenance_db).close()
        except psycopg2.Error:
            return pages.health({"status": "fail", "db_server_status": False}, 500)
        return pages.health({"status": "pass", "db_server_status": True})

    def _jsonrpc(self, request: Request, spent: Spent) -> Response:
        if request.method != "POST":
            return pages.failure(self.version, 405)
        body = wire.json_body(request)
        if body is None:
            return pages.failure(self.version, 400, wire.unfit(request))
        params = body.get("params") or {}
        call = lambda: self._caller.service(  # noqa: E731
            str(params.get("service")), str(params.get("method")), list(params.get("args") or []), spent
        )
        told, good = answer(body.get("id"), call, spent)
        response = wire.as_json(told)
        return self._finish(response) if good else response

    def _recognise(self, visit: Visit) -> None:
        """The visitor's session, and the database: the session's, or the only one there is."""
        sid = visit.request.cookie("session_id")
        visit.session = (self._store.load(sid) if sid else None) or visit.session
        names = self._names()
        wanted = visit.session["db"]
        visit.database = wanted if wanted in names else (names[0] if len(names) == 1 else None)
        visit.session.content["db"] = visit.spent.database = visit.database

    def _names(self) -> list[str]:
        try:
            return [name for name in self.databases.names() if self._filter.match(name)]
        except psycopg2.Error as error:
            log.line("ERROR", None, "odoo.service.db", f"Listing databases failed:\n{error}".strip())
            return []

    def _keep(self, visit: Visit, response: Response) -> None:
        """Save what changed, under a new name after log-ins and log-outs, and tell the client."""
        session = visit.session
        if visit.rotate:
            self._store.delete(session.sid)
            session.sid = self.version.new_sid()
            self._bind(visit)
            session.dirty = True
        if session.dirty:
            self._store.save(session)
        if session.dirty or visit.request.cookie("session_id") != session.sid:
            days = 365 if self.version.modern else 7
            until = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + days * 86400))
            response.put(
                "Set-Cookie",
                f"session_id={session.sid}; Expires={until}; Max-Age={sessions.LIFETIME_S}; HttpOnly; Path=/",
            )

    def _bind(self, visit: Visit) -> None:
        uid, database = visit.session["uid"], visit.database
        if uid and database:
            sid = visit.session.sid
            bound = self._caller.transact(database, visit.spent, lambda cursor: users.token(cursor, sid, uid))
            visit.session["session_token"] = bound

    def _user(self, visit: Visit) -> int:
        """Of a session that still holds, else SessionExpired."""
        session, database = visit.session, visit.database
        if not session["uid"] or not database:
            raise SessionExpired
        uid = int(session["uid"])

        def work(cursor: Cursor) -> bool:
            expected = users.token(cursor, session.sid, uid)
            if not expected or not hmac.compare_digest(expected, str(session["session_token"])):
                return False
            if self.version.device_log:
                users.trace_device(cursor, session, visit.request.address)
            return True

        if not self._caller.transact(database, visit.spent, work):
            raise SessionExpired
        return uid

    def _json(self, path: str, visit: Visit) -> tuple[Response, bool]:
        body = wire.json_body(visit.request)
        if body is None:
            return pages.failure(self.version, 400, wire.unfit(visit.request)), False
        params = body.get("params") or {}
        told, good = answer(body.get("id"), lambda: self._json_call(path, visit, params), visit.spent)
        return wire.as_json(told), good

    def _json_call(self, path: str, visit: Visit, params: dict[str, Any]) -> Any:
        if path == "/web/database/list":
            if not self.config.list_db:
                raise AccessDenied
            return self._names()
        if path == "/web/session/authenticate":
            return self._authenticate(visit, str(params["db"]), str(params["login"]), str(params["password"]))
        uid = self._user(visit)
        assert visit.database is not None
        if path == "/web/session/destroy":
            visit.session.content = sessions.fresh()
            visit.session["db"] = visit.database if len(self._names()) == 1 else None
            visit.rotate = True
            return None
        if path == "/web/session/get_session_info":
            visit.session.dirty = True
            return self._info(visit)
        return self._caller.method(
            visit.database, uid, str(params.get("model")), str(params.get("method")), list(params.get("args") or []),
            dict(params.get("kwargs") or {}), visit.spent,
        )  # fmt: skip

    def _info(self, visit: Visit) -> Any:
        return self._caller.transact(
            str(visit.database), visit.spent, lambda cursor: users.session_info(cursor, self.version, visit.session)
        )

    def _authenticate(self, visit: Visit, database: str, login: str, password: str) -> Any:
        if not self._filter.match(database):
            raise AccessDenied
        uid = self._caller.transact(database, visit.spent, lambda cursor: users.log_in(cursor, login, password))
        visit.database = database
        for name, value in (("db", database), ("login", login), ("uid", uid)):
            visit.session[name] = value
        visit.rotate = True
        return self._info(visit)

    def _root(self, visit: Visit) -> Response:
        return pages.redirect(self.version, visit.request.host, self.version.home)

    def _client(self, visit: Visit) -> Response:
        if turned := self._ensure_database(visit):
            return turned
        try:
            self._user(visit)
        except SessionExpired:
            return pages.redirect(
                self.version, visit.request.host, f"/web/login?redirect={quote(visit.request.target)}"
            )
        return pages.client(self.version, str(visit.session["login"]))

    def _selector(self, visit: Visit) -> Response:
        return pages.selector(self.version, self._names() if self.config.list_db else [])

    def _ensure_database(self, visit: Visit) -> Response | None:
        wanted = visit.request.query.get("db")
        if wanted and wanted != visit.database and wanted in self._names():
            visit.session.content = sessions.fresh()
            visit.session["db"] = wanted
            return pages.redirect(self.version, visit.request.host, visit.request.target, 302)
        if not visit.database:
            return pages.redirect(self.version, visit.request.host, "/web/database/selector")
        return None

    def _login(self, visit: Visit) -> Response:
        if turned := self._ensure_database(visit):
            return turned
        database, error = str(visit.database), ""
        if visit.request.method == "POST":
            form = dict(parse_qsl(visit.request.body.decode("utf-8", "replace")))
            if not hmac.compare_digest(form.get("csrf_token", ""), self._csrf(visit)):
                return pages.failure(self.version, 400, "Session expired (invalid CSRF token)")
            try:
                self._authenticate(visit, database, form.get("login", ""), form.get("password", ""))
                return pages.redirect(self.version, visit.request.host, form.get("redirect") or self.version.home)
            except AccessDenied:
                error = "Wrong login/password"
        visit.session.dirty = True
        return pages.login(self.version, database, self._csrf(visit), error)

    def _csrf(self, visit: Visit) -> str:
        secret = self._caller.transact(
            str(visit.database), visit.spent,
            lambda cursor: cursor.run("select value from ir_config_parameter where key = 'database.secret'")[0][0],
        )  # fmt: skip
        return hmac.new(str(secret).encode(), visit.session.sid.encode(), "sha256").hexdigest()

    def _content(self, ident: int, visit: Visit) -> Response:
        statement = "select name, mimetype, checksum, public, store_fname, db_datas from ir_attachment where id = %s"
        found = self._caller.transact(str(visit.database), visit.spent, lambda cursor: cursor.rows(statement, [ident]))
        if not found:
            raise NotFound
        row = found[0]
        if not row["public"]:
            try:
                self._user(visit)
            except SessionExpired:
                raise NotFound from None
        content = attachments.read(self.data_dir, str(visit.database), row["store_fname"], row["db_datas"])
        return pages.document(row, content, download=bool(visit.request.query.get("download")))
