"""Who may: log-ins, their traces, and what a web client is told about its session."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

from console.lab.odoo import passwords
from console.lab.odoo.database import Cursor
from console.lab.odoo.errors import AccessDenied
from console.lab.odoo.sessions import Session
from console.lab.odoo.versions import Version

_TRACE_EVERY_S = 3600
_checked: set[tuple[str, int, str, str]] = set()
"""What this worker has found right: database, user, stored hash, digest of the password."""


def log_in(cursor: Cursor, login: str, password: str) -> int:
    """The user's id, and a row in ``res_users_log``; AccessDenied for a wrong login or password."""
    found = cursor.run("select id, password from res_users where login = %s and active", [login])
    if not found or not passwords.right(password, found[0][1]):
        raise AccessDenied
    uid = int(found[0][0])
    cursor.run(
        "insert into res_users_log (create_uid, write_uid, create_date, write_date) "
        "values (%s, %s, now() at time zone 'UTC', now() at time zone 'UTC')",
        [uid, uid],
    )
    return uid


def check(cursor: Cursor, uid: Any, password: Any) -> int:
    """Prove a call's user, without a trace."""
    if not isinstance(uid, int) or not isinstance(password, str) or not password:
        raise AccessDenied
    found = cursor.run("select password from res_users where id = %s and active", [uid])
    stored = found[0][0] if found else None
    key = (cursor.database, uid, str(stored), hashlib.sha256(password.encode()).hexdigest())
    if key not in _checked:
        if not passwords.right(password, stored):
            raise AccessDenied
        _checked.add(key)
    return uid


def token(cursor: Cursor, sid: str, uid: int) -> str | None:
    """Binds a session to its user's present password; None for a user who is gone."""
    found = cursor.run(
        "select u.id, u.login, u.password, u.active, (select value from ir_config_parameter where key = 'database.secret') "
        "from res_users u where u.id = %s and u.active",
        [uid],
    )
    if not found:
        return None
    *row, secret = found[0]
    return hmac.new(str(secret).encode(), f"{sid}{tuple(row)}".encode(), "sha256").hexdigest()


def trace_device(cursor: Cursor, session: Session, address: str) -> None:
    """18: which device used the session, at most once an hour."""
    traced = session["_trace"] or []
    now = int(time.time())
    for each in traced:
        if each["ip_address"] == address and now - each["last_activity"] < _TRACE_EVERY_S:
            return
    cursor.run(
        "insert into res_device_log (user_id, session_identifier, platform, browser, ip_address, device_type, revoked, "
        "first_activity, last_activity) values (%s, %s, null, null, %s, 'computer', false, now() at time zone 'UTC', "
        "now() at time zone 'UTC')",
        [session["uid"], session.sid[:42], address],
    )
    kept = [each for each in traced if each["ip_address"] != address]
    session["_trace"] = [*kept, {"ip_address": address, "last_activity": now}]


def session_info(cursor: Cursor, version: Version, session: Session) -> dict[str, Any]:
    """What ``/web/session/authenticate`` and ``get_session_info`` answer."""
    shown = "p.complete_name" if version.modern else "p.display_name"
    row = cursor.rows(
        f"select u.id, u.login, u.company_id, u.partner_id, u.action_id, u.notification_type, u.odoobot_state, "  # noqa: S608
        f"p.name, p.lang, p.tz, p.write_date, {shown} as shown from res_users u join res_partner p on p.id = u.partner_id "
        "where u.id = %s",
        [session["uid"]],
    )[0]
    address = cursor.run("select value from ir_config_parameter where key = 'web.base.url'")[0][0]
    uid = int(row["id"])
    admin = uid == 2
    info: dict[str, Any] = {"uid": uid, "is_system": admin, "is_admin": admin}
    if version.modern:
        info |= {"is_public": False, "is_internal_user": True}
    info |= {
        "user_context": {"lang": row["lang"], "tz": row["tz"], "uid": uid}, "db": cursor.database,
        "server_version": version.series, "server_version_info": version.info(), "support_url": "https://www.odoo.com/buy",
        "name": row["name"], "username": row["login"], "partner_display_name": row["shown"], "partner_id": row["partner_id"],
        "web.base.url": address, "active_ids_limit": 20000, "profile_session": None, "profile_collectors": None,
        "profile_params": None, "max_file_upload_size": 134217728, "home_action_id": row["action_id"] or False,
        "user_companies": _companies(cursor, version, int(row["company_id"])), "show_effect": True,
        "display_switch_company_menu": True, "iap_company_enrich": True,
    }  # fmt: skip
    return info | _of_version(cursor, version, row)


def _of_version(cursor: Cursor, version: Version, row: dict[str, Any]) -> dict[str, Any]:
    if version.major < 18:
        more = {
            "user_id": [row["id"]], "max_time_between_keys_in_ms": 100, "web_tours": [], "tour_disable": True,
            "notification_type": row["notification_type"],
            "odoobot_initialized": row["odoobot_state"] not in (None, "not_initialized"),
        }  # fmt: skip
        if version.major == 16:
            return more | {"company_id": row["company_id"]}
        return more | {"websocket_worker_version": "17.0-1", "is_quick_edit_mode_enabled": False}
    tour = cursor.run("select tour_enabled from res_users where id = %s", [row["id"]])[0][0]
    return {
        "partner_write_date": f"{row['write_date']:%Y-%m-%d %H:%M:%S}", "test_mode": False, "view_info": _views(),
        "max_time_between_keys_in_ms": 150, "websocket_worker_version": "18.0-5", "tour_enabled": bool(tour),
        "current_tour": None, "can_insert_in_spreadsheet": False,
    }  # fmt: skip


def _companies(cursor: Cursor, version: Version, current: int) -> dict[str, Any]:
    allowed: dict[str, Any] = {}
    for row in cursor.rows("select id, name, sequence, parent_id from res_company order by id"):
        entry = {"id": row["id"], "name": row["name"], "sequence": row["sequence"]}
        if version.modern:
            entry |= {"child_ids": [], "parent_id": row["parent_id"] or False}
        allowed[str(row["id"])] = entry
    answer: dict[str, Any] = {"current_company": current, "allowed_companies": allowed}
    return answer | ({"disallowed_ancestor_companies": {}} if version.modern else {})


def _views() -> dict[str, Any]:
    """The view types of the web client's own code."""
    views = (("list", "oi oi-view-list", True), ("form", "fa fa-address-card", False), ("graph", "fa fa-area-chart", True),
             ("pivot", "oi oi-view-pivot", True), ("calendar", "fa fa-calendar", True), ("kanban", "oi oi-view-kanban", True),
             ("search", "oi oi-search", True), ("activity", "fa fa-clock-o", True))  # fmt: skip
    return {name: {"display_name": name.title(), "icon": icon, "multi_record": many} for name, icon, many in views}
