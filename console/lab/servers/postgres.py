"""PostgreSQL members under Patroni: one cluster ``main`` of three, one standby synchronous."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from console.lab import privilege
from console.lab.binaries import postgres_bin
from console.lab.state import Server, write_file

CLUSTER = "main"
MEMBERS = ("pg-1", "pg-2", "pg-3")
UNREAD_SLOT = "banksman_lab_unread"
"""The slot that fault ``slot-fills-disk`` makes; Patroni would drop it if it were not told to leave it alone."""
ROLES = {"superuser": "postgres", "replication": "replicator", "rewind": "rewinder"}

_PARAMETERS: dict[str, Any] = {
    "max_connections": 160,  # eight tenants, whose workers hold some ninety, and room for acme's further replicas
    "superuser_reserved_connections": 3,
    "reserved_connections": 8,  # for the monitoring role: it can still look when everything else is taken
    "shared_buffers": "16MB",
    "wal_level": "replica",
    "wal_keep_size": "64MB",
    "max_wal_size": "96MB",
    "min_wal_size": "32MB",
    "max_slot_wal_keep_size": "256MB",
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
    "fsync": "off",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.max": 1000,
    "track_io_timing": "on",
    "track_wal_io_timing": "on",
    "track_activity_query_size": 4096,
    "dynamic_shared_memory_type": "mmap",  # in the data directory, so that nothing stays behind in /dev/shm
    "log_destination": "stderr",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_file_mode": "0640",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": 0,
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "log_lock_waits": "on",
    "log_min_duration_statement": "2s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def _cluster_settings() -> dict[str, Any]:
    """What Patroni keeps in etcd.

    ``ttl`` and ``loop_wait`` are the lowest that it accepts. With the lowest ``retry_timeout`` (3 s) a primary would step
    down whenever a busy machine keeps etcd from answering for a moment.
    """
    return {
        "ttl": 20,
        "loop_wait": 1,
        "retry_timeout": 6,
        "maximum_lag_on_failover": 1048576,
        "synchronous_mode": True,
        "synchronous_node_count": 1,
        "ignore_slots": [{"name": UNREAD_SLOT, "type": "physical"}],
        "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": _PARAMETERS},
    }


def _configuration(
    name: str, home: Path, ports: dict[str, int], etcd: int, passwords: dict[str, str]
) -> dict[str, Any]:
    listen, rest = f"127.0.0.1:{ports['postgres']}", f"127.0.0.1:{ports['rest']}"
    return {
        "scope": CLUSTER,
        "namespace": "/service/",
        "name": name,
        "log": {
            "dir": str(home / "patroni"),
            "file_num": 2,
            "file_size": 2_000_000,
            "deduplicate_heartbeat_logs": True,
        },
        "restapi": {"listen": rest, "connect_address": rest},
        "etcd3": {"hosts": [f"127.0.0.1:{etcd}"]},
        "bootstrap": {
            "dcs": _cluster_settings(),
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums", "no-sync"],
        },
        "postgresql": {
            "listen": listen,
            "connect_address": listen,
            "data_dir": str(home / "data"),
            "bin_dir": str(postgres_bin()),
            "pgpass": str(home / "pgpass"),
            "authentication": {role: {"username": user, "password": passwords[user]} for role, user in ROLES.items()},
            "pg_hba": [
                "host all all 127.0.0.1/32 scram-sha-256",
                "host replication all 127.0.0.1/32 scram-sha-256",
            ],
            "parameters": {"unix_socket_directories": "", "log_directory": str(home / "log")},
            "basebackup": [{"checkpoint": "fast"}, "no-sync"],
            "remove_data_directory_on_rewind_failure": True,
            "remove_data_directory_on_diverged_timelines": True,
        },
    }


def member(directory: Path, name: str, ports: dict[str, int], etcd: int, passwords: dict[str, str], way: str) -> Server:
    """One member. Patroni owns its PostgreSQL server; the supervisor owns Patroni."""
    home = directory / name
    for path in (home, home / "patroni", home / "log"):
        path.mkdir()
    file = home / "patroni.yml"
    write_file(file, yaml.safe_dump(_configuration(name, home, ports, etcd, passwords), sort_keys=False))
    privilege.hand_over(way, home)
    return Server(
        name=name,
        kind="patroni",
        argv=[sys.executable, "-m", "patroni", str(file)],
        directory=str(home),
        log=str(home / "patroni" / "start.log"),
        ports=ports,
        data_directory=str(home / "data"),
        server_log=str(home / "log"),
        unprivileged=True,
    )
