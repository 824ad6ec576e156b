"""The few pages in HTML, as each version's Werkzeug and web client write their beginnings."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import quote

from console.lab.odoo.versions import Version
from console.lab.odoo.wire import Response, as_html, as_json

_REASONS = {
    400: ("Bad Request", ""),
    404: ("Not Found", "The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again."),
    405: ("Method Not Allowed", "The method is not allowed for the requested URL."),
    500: ("Internal Server Error", "The server encountered an internal error and was unable to complete your request. "
          "Either the server is overloaded or there is an error in the application."),
}  # fmt: skip


def _opening(version: Version) -> str:
    if version.modern:
        return "<!doctype html>\n<html lang=en>\n"
    return '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n'


def failure(version: Version, code: int, reason: str = "") -> Response:
    """Werkzeug's page of an error."""
    title, text = _REASONS[code]
    said = escape(reason or text)
    if version.modern:
        said = said.replace("&#x27;", "&#39;")
    return as_html(f"{_opening(version)}<title>{code} {title}</title>\n<h1>{title}</h1>\n<p>{said}</p>\n", code)


def redirect(version: Version, host: str, location: str, code: int = 303) -> Response:
    """Werkzeug's page of a redirect, and where it leads."""
    shown = escape(location)
    link = f'<a href="{shown}">{shown}</a>'
    if version.modern:
        text = f"<p>You should be redirected automatically to the target URL: {link}. If not, click the link.\n"
    else:
        text = f"<p>You should be redirected automatically to target URL: {link}. If not click the link."
    answer = as_html(f"{_opening(version)}<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n{text}", code)
    answer.put("Location", location if version.modern else f"http://{host}{location}")
    return answer


def _page(version: Version, body: str, attributes: str = ' style="height: 100%;"') -> str:
    edge = "IE=edge" if version.modern else "IE=edge,chrome=1"
    return (
        f'<!DOCTYPE html>\n<html{attributes}>\n    <head>\n        <meta charset="utf-8"/>\n'
        f'        <meta http-equiv="X-UA-Compatible" content="{edge}"/>\n'
        '        <meta name="viewport" content="width=device-width, initial-scale=1"/>\n        <title>Odoo</title>\n'
        '        <link type="image/x-icon" rel="shortcut icon" href="/web/static/img/favicon.ico"/>\n    </head>\n'
        f"    <body>\n{body}\n    </body>\n</html>\n"
    )


def login(version: Version, database: str, csrf: str, error: str = "") -> Response:
    """The log-in form."""
    said = f'<p class="alert alert-danger" role="alert">{escape(error)}</p>' if error else ""
    form = (
        f'<form class="oe_login_form" role="form" method="post" action="/web/login" data-db="{escape(database)}">{said}'
        f'<input type="hidden" name="csrf_token" value="{csrf}"/><input type="text" name="login"/>'
        '<input type="password" name="password"/><button type="submit">Log in</button></form>'
    )
    answer = as_html(_page(version, form))
    if version.modern:
        answer.put("Cache-Control", "no-cache")
    return answer


def fallback(version: Version) -> Response:
    """404 inside a database: a page of the web client's."""
    return as_html(_page(version, "<h1>404: Page not found!</h1>", ""), 404, "text/html;charset=utf-8")


def client(version: Version, name: str) -> Response:
    """Where somebody who is logged in lands."""
    return as_html(_page(version, f'<div class="o_web_client" data-user="{escape(name)}"></div>'))


def selector(version: Version, databases: list[str]) -> Response:
    """The list of databases to choose from."""
    rows = "".join(f'<a href="/web?db={escape(each)}" class="list-group-item">{escape(each)}</a>' for each in databases)
    return as_html(_page(version, f'<div class="list-group">{rows}</div>', ""))


def health(status: dict[str, Any], code: int = 200) -> Response:
    """What ``/web/health`` answers."""
    answer = as_json(status, "application/json", code)
    answer.put("Cache-Control", "no-store")
    return answer


def document(row: dict[str, Any], content: bytes, *, download: bool) -> Response:
    """An attachment's content with its headers."""
    kind = str(row["mimetype"])
    how = "attachment" if download else "inline"
    answer = Response(200, content, [("Content-Disposition", f"{how}; filename={quote(str(row['name']))}")])
    answer.put("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    answer.put("Cache-Control", "no-cache, private")
    answer.put("ETag", f'"{row["checksum"]}"')
    return answer
