"""What the sources for Traefik share."""

from __future__ import annotations

from console.clients.clean import clean
from console.clients.web import Web, WebError
from console.sources.base import SourceError


async def ask(web: Web, path: str, deadline_s: float, what: str, mend: str) -> bytes:
    """The body of a 200. Raises SourceError with a sentence for everything else.

    ``what``: what is asked for, ``metrics``; ``mend``: what to set where it is not served.
    """
    try:
        # A little less than the deadline, so that the sentence says what was asked.
        answer = await web.get(path, deadline_s * 0.9)
    except WebError as error:
        raise SourceError(f"{web.base}: {error.problem}") from None
    if answer.status == 200:
        return answer.body
    if answer.status in (401, 403):
        raise SourceError(f"{web.base}{path}: refuses us ({answer.status}): {what} ask for a log-in here", denied=True)
    if answer.status == 404:
        raise SourceError(f"{web.base}{path}: nothing there (404): {what} are not served at this address: {mend}")
    begin = clean(answer.body[:200], 60)
    raise SourceError(f"{web.base}{path}: HTTP {answer.status}{f': {begin}' if begin else ''}")


def mend_reach(what: str, base: str) -> str:
    """What to look at where an address does not answer as it should."""
    return f"check `{what}:` of this server in the environment file, and that {base} can be reached from here"
