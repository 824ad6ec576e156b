"""What an ingress has in force: broken routes, configurations that are not taken, an ingress that cannot be reached."""

from __future__ import annotations

import re
from typing import NamedTuple

from console.assessment.ingress import Ingress, felt_by, label, who
from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.views import down
from console.assessment.words import clock, count, listing, short
from console.readings import Reading, TraefikConfig, TraefikRouter, TraefikServer

_MISSING = re.compile(r"middleware \"?([^\"\s]{1,200})\"? does not exist|middleware.{0,200}not found", re.IGNORECASE)


class _Broken(NamedTuple):
    config: TraefikConfig
    router: TraefikRouter
    problem: str


def _broken(ingress: Ingress) -> dict[str, list[_Broken]]:
    """Tenant, or router that is nobody's → its routers that Traefik does not take as they are."""
    found: dict[str, list[_Broken]] = {}
    for config, router in ingress.routers:
        if router.state == "disabled" or router.problems:
            problem = next(iter(router.problems), router.state)
            found.setdefault(who(router.tenant, router.name), []).append(_Broken(config, router, problem))
    return found


@kind("middleware-missing", "ingress")
def middleware_missing(look: Look) -> Said:
    """A route names a middleware that there is not: Traefik takes the whole route out."""
    for ingress in look.ingresses.values():
        for name, broken in _broken(ingress).items():
            missing = [each for each in broken if _MISSING.search(each.problem)]
            if missing:
                yield _middleware_missing(look, ingress, name, missing)


def _middleware_missing(look: Look, ingress: Ingress, name: str, missing: list[_Broken]) -> Symptom:
    match = _MISSING.search(missing[0].problem)
    middleware = short(match[1], 40) if match and match[1] else "a middleware"
    users = felt_by(look.environment, [name], f"everybody who opens {short(name)}")
    return Symptom(
        subject=ingress.subject(name),
        severity="critical",
        title=f"Route of {label(look.environment, name)} at {ingress.name} names a middleware that is missing",
        impact=f"{users.words}: nothing can be opened, every request is answered with 404.",
        action=f"Create {middleware} again (same namespace and name), or take it out of the route.",
        stands_on=_configs(missing),
        affects=users.affects,
        tenants=users.tenants,
        scope=users.scope,
        evidence=tuple(
            fact(each.config, short(each.router.name, 60), each.problem, text=each.router.rule) for each in missing[:4]
        ),
        hidden_by=(f"ingress-unreachable:{ingress.name}",),
    )


def _configs(broken: list[_Broken]) -> tuple[Reading, ...]:
    return tuple({each.config.key: each.config for each in broken}.values())


@kind("router-broken", "ingress", "after_seconds")
def router_broken(look: Look) -> Said:
    """A router that Traefik does not take, or takes in part; or no router at all for a tenant's name."""
    for ingress in look.ingresses.values():
        for name, broken in _broken(ingress).items():
            other = [each for each in broken if not _MISSING.search(each.problem)]
            if other:
                yield _router_broken(look, ingress, name, other)
        yield from _unrouted(look, ingress)


def _router_broken(look: Look, ingress: Ingress, name: str, broken: list[_Broken]) -> Symptom:
    users = felt_by(look.environment, [name], f"everybody who opens {short(name)}")
    off = any(each.router.state == "disabled" for each in broken)
    return Symptom(
        subject=ingress.subject(name),
        severity="critical" if off else "warning",
        title=f"Route of {label(look.environment, name)} at {ingress.name} is {'not in force' if off else 'not quite right'}",
        impact=f"{users.words}: requests are answered with 404."
        if off
        else f"{users.words}: the route works, but not as it is written.",
        action="Mend what Traefik says of the route: the service, middleware or TLS option that it names.",
        stands_on=_configs(broken),
        affects=users.affects,
        tenants=users.tenants,
        scope=users.scope,
        evidence=tuple(
            fact(each.config, short(each.router.name, 60), each.problem, text=each.router.rule) for each in broken[:4]
        ),
        hidden_by=(f"ingress-unreachable:{ingress.name}",),
    )


def _unrouted(look: Look, ingress: Ingress) -> Said:
    """Tenants whose name no router takes, where this is the only ingress and it takes those of others."""
    hosts = {host for _, router in ingress.routers for host in router.hosts}
    anything = any(router.any_host for _, router in ingress.routers)
    if len(look.environment.traefik) != 1 or anything or len(ingress.configs) < len(ingress.settings.servers):
        return
    names = {name: _host(application.url) for name, application in look.environment.applications.items()}
    if not any(host in hosts for host in names.values()):
        return
    configs = tuple(ingress.configs.values())
    for name, host in names.items():
        if not host or host in hosts:
            continue
        users = felt_by(look.environment, [name], host)
        yield Symptom(
            subject=ingress.subject(name),
            severity="critical",
            title=f"No route of {ingress.name} takes {short(host, 40)}",
            impact=f"{users.words}: nothing can be opened, every request is answered with 404.",
            action=f"See whether the route (IngressRoute, Ingress) of {short(name)} is still there, and what its events say.",
            stands_on=configs,
            affects=users.affects,
            tenants=users.tenants,
            scope=users.scope,
            evidence=(fact(configs[0], "names that are routed", listing(sorted(hosts), 5)),),
            hidden_by=(f"ingress-unreachable:{ingress.name}", f"middleware-missing:{ingress.subject(name)}"),
            after_s=look.threshold("router-broken", "after_seconds"),
        )


def _host(url: str) -> str:
    """The host of an address like ``https://acme.example.com:8443/web``, in small letters."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()


@kind("config-not-reloaded", "ingress")
def config_not_reloaded(look: Look) -> Said:
    """A provider could not give Traefik a configuration: what is in force is older than what is written."""
    for ingress in look.ingresses.values():
        for server, reloads in ingress.reloads.items():
            metrics = ingress.servers.get(server)
            # Both are told in whole seconds: within one a failure is taken for the later.
            taken = metrics.reloaded_at if metrics is not None else None
            failures = [each for each in reloads.failures.values() if taken is None or each.at >= taken]
            if not failures:
                continue
            newest = max(failures, key=lambda each: each.at)
            yield Symptom(
                subject=f"{ingress.name}/{server}",
                severity="warning",
                title=f"{server} of {ingress.name} does not take the configuration of {listing([f.provider for f in failures])}",
                impact="Users feel nothing yet: the last good configuration is in force; new routes and moved backends are not.",
                action="Read what it says (evidence), and mend that file, or the way to the Kubernetes API and its rights.",
                stands_on=(reloads,),
                since=newest.first_at,
                evidence=(
                    *(
                        fact(reloads, f"{f.provider}, {count(f.count, 'time')}", f"last at {clock(f.at)}", text=f.text)
                        for f in failures[:4]
                    ),
                    fact(metrics or reloads, "last configuration taken", clock(taken)),
                ),
                causes=tuple(f"api-server-unreachable:{cluster}" for cluster in look.environment.kubernetes),
            )


@kind("ingress-unreachable", "ingress", "after_seconds")
def ingress_unreachable(look: Look) -> Said:
    """Clients cannot reach the ingress, or one of its Traefiks cannot be asked."""
    for ingress in look.ingresses.values():
        lost = {name: last for name, last in ingress.servers_last.items() if last is not None and down(last)}
        address = ingress.certificates_last
        if down(address) or (lost and len(lost) == len(ingress.servers_last) and address is None):
            yield _unreachable(look, ingress, lost, address)
            continue
        for server, last in lost.items():
            yield Symptom(
                subject=f"{ingress.name}/{server}",
                severity="warning",
                title=f"{server} of {ingress.name} cannot be asked for its metrics",
                impact="Users feel nothing while the other Traefiks, or this one, still answer them; what goes through it is not known."
                if address is not None or len(ingress.servers_last) > 1
                else "Whether users feel it is not known: without `address:` nobody tries to connect as they do.",
                action=f"See whether the process of {server} runs, and its log (l).",
                stands_on=(last,),
                since=last.good_at,
                evidence=(fact(last, "metrics", last.problem or last.status),),
                covers=(last.where,),
                after_s=look.threshold("ingress-unreachable", "after_seconds"),
                hidden_by=(f"ingress-unreachable:{ingress.name}",),
            )


def _unreachable(look: Look, ingress: Ingress, lost: dict[str, TraefikServer], address: Reading | None) -> Symptom:
    tenants = [name for name, application in look.environment.applications.items() if application.url]
    users = felt_by(look.environment, tenants, f"everybody behind {ingress.name}")
    last: list[Reading] = [address] if address is not None and down(address) else list(lost.values())
    evidence = (
        [fact(address, f"connection to {ingress.settings.address}", address.problem)]
        if address in last and address
        else []
    )
    evidence += [fact(each, f"metrics of {name}", each.problem or each.status) for name, each in lost.items()]
    return Symptom(
        subject=ingress.name,
        severity="critical",
        title=f"{ingress.name} cannot be reached: clients get no connection",
        impact=f"{users.words}: nothing can be opened.",
        action="See whether Traefik runs (its pods, its log), and the way to it: load balancer, address, firewall.",
        stands_on=tuple(last),
        loudest=False,
        since=min((each.good_at for each in last if each.good_at), default=None),
        affects=users.affects,
        tenants=users.tenants,
        evidence=tuple(evidence),
        covers=tuple(each.where for each in (*lost.values(), *last)),
        after_s=look.threshold("ingress-unreachable", "after_seconds"),
    )
