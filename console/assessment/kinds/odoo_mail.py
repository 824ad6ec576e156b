"""What a tenant sends and keeps: mail that is refused or never leaves, documents that are not where they should be."""

from __future__ import annotations

import re
from collections import Counter

from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.tenants import together
from console.assessment.words import clock, count, short, span
from console.readings import Evidence, OdooFiles

_SHOWN = 5
_OWN = re.compile(r"\S{1,200}@\S{1,200}|\b\w*\d\w{5,}\b")


@kind("mail-refused", "application", "warning_mails", "critical_mails")
def mail_refused(look: Look) -> Said:
    """Mails were refused within the hour, and stay where they are until somebody sends them again."""
    said = list(_mail_refused(look))
    found = [word for word in said if isinstance(word, Symptom)]
    reasons = Counter(_alike(evidence.text) for symptom in found for evidence in symptom.evidence[1:2])
    most, number = reasons.most_common(1)[0] if reasons else ("", 0)
    alike = [each for each in found if number and any(_alike(evidence.text) == most for evidence in each.evidence[1:2])]
    action = (
        "The mail server is shared: see whether it runs and takes this log-in; then send them again (Settings, Emails)."
    )
    yield from together("mail-refused", alike, len(look.tenants), "Mail of several tenants is refused", action)
    yield from (word for word in said if word not in alike)


def _alike(reason: str) -> str:
    """A reason without what differs from mail to mail: addresses and numbers of the server's own."""
    return _OWN.sub("…", reason)[:80]


def _mail_refused(look: Look) -> Said:
    for tenant in look.tenants.values():
        for reading in tenant.databases:
            mail = reading.mail
            if "mail" in reading.unread:
                yield tenant.untold(reading)
            if mail is None or "mail" in reading.unread:
                continue
            subject = tenant.subject(reading)
            if mail.failed_last_hour < look.limit("mail-refused", "warning_mails", subject):
                continue
            severe = mail.failed_last_hour >= look.limit("mail-refused", "critical_mails", subject)
            reasons = sorted(mail.reasons.values(), key=lambda each: -each.count)
            yield Symptom(
                subject=subject,
                severity="critical" if severe else "warning",
                title=f"{count(mail.failed_last_hour, 'mail')} of {short(tenant.name)} refused within the hour",
                impact=f"{tenant.label}: orders, invoices and reminders did not leave; nobody is told.",
                action="Read the reasons: server, log-in or sender; mend it, then send them again (Settings, Emails).",
                stands_on=(reading,),
                evidence=(
                    fact(reading, "refused within the hour", f"{mail.failed_last_hour}, last {clock(mail.last_failed_at)}",
                         f"{look.threshold('mail-refused', 'warning_mails'):g}"),
                    *(fact(reading, "reason", count(each.count, "mail"), text=each.reason) for each in reasons[:_SHOWN]),
                ),
                **tenant.whose,
            )  # fmt: skip


@kind("mail-stuck", "application", "waited_seconds")
def mail_stuck(look: Look) -> Said:
    """Mails are due and nobody sends them."""
    for tenant in look.tenants.values():
        for reading in tenant.databases:
            mail = reading.mail
            if "mail" in reading.unread:
                yield tenant.untold(reading)
            if mail is None or "mail" in reading.unread or not mail.outgoing or mail.oldest_at is None:
                continue
            subject = tenant.subject(reading)
            waited = (look.now - mail.oldest_at).total_seconds()
            if waited < look.limit("mail-stuck", "waited_seconds", subject):
                continue
            yield Symptom(
                subject=subject,
                severity="warning",
                title=f"{count(mail.outgoing, 'mail')} of {short(tenant.name)} {'waits' if mail.outgoing == 1 else 'wait'} since {clock(mail.oldest_at)}",
                impact=f"{tenant.label}: orders, invoices and reminders have not left.",
                action="See whether the scheduled job that sends mail runs (Email Queue Manager), and what it says in the log.",
                stands_on=(reading,),
                since=mail.oldest_at,
                evidence=(
                    fact(reading, "the oldest waits", span(waited), span(look.threshold("mail-stuck", "waited_seconds"))),
                    fact(reading, "waiting", str(mail.outgoing)),
                ),
                causes=(f"cron-failing:{subject}", f"mail-refused:{subject}"),
                hidden_by=(f"module-to-upgrade:{subject}", f"cron-stuck:{subject}", *tenant.database_down),
                **tenant.whose,
            )  # fmt: skip


@kind("attachment-missing", "application", "warning_files", "critical_files")
def attachment_missing(look: Look) -> Said:
    """Documents that the database knows are not in the folder, or are not what they were."""
    for tenant in look.tenants.values():
        for reading in tenant.files:
            if reading.missing is None:
                yield tenant.untold(reading)
            missing, differing = reading.missing or 0, reading.differing or 0
            subject = tenant.subject(reading)
            if missing + differing < look.threshold("attachment-missing", "warning_files"):
                continue
            severe = missing >= look.limit("attachment-missing", "critical_files", subject)
            yield Symptom(
                subject=subject,
                severity="critical" if severe else "warning",
                title=f"{_what(missing, differing)} of {short(tenant.name)}",
                impact=f"{tenant.label}: who opens one of these documents gets an error, or something else.",
                action="Stop what cleans that folder; restore the files from the backup of the filestore (their names are in the evidence).",
                stands_on=(reading,),
                evidence=(
                    fact(reading, "missing", f"{missing} of {reading.checked or 0} looked for", f"{look.threshold('attachment-missing', 'warning_files'):g}"),
                    *((fact(reading, "of another size or content", str(differing)),) if differing else ()),
                    *_examples(reading),
                ),
                **tenant.whose,
            )  # fmt: skip


def _what(missing: int, differing: int) -> str:
    if not missing:
        return f"{count(differing, 'document')} changed on disk"
    return f"{count(missing, 'document')} missing on disk"


def _examples(reading: OdooFiles) -> tuple[Evidence, ...]:
    rows = [(name, *text.partition(": ")) for name, text in list(reading.examples.items())[:_SHOWN]]
    return tuple(fact(reading, name, what or "?", text=document) for name, what, _, document in rows)
