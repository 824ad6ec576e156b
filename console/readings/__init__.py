"""What a look at each system yields: typed, immutable, plain data; no I/O.

Every topic is declared once, here, and registered by ``@topic``.
"""

from console.readings.base import (
    NOT_RECORDED,
    Address,
    Pane,
    PrivateText,
    Reading,
    State,
    Status,
    address,
    hide_text,
    stale_after_s,
    topic,
    topics,
)
from console.readings.environment import EngineSelf, Environment, Watcher
from console.readings.finding import Evidence, Finding, Findings
from console.readings.patroni import DcsMember, PatroniMember
from console.readings.postgres import (
    Activity,
    BlockedSession,
    Database,
    IoRow,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    PostgresStatements,
    Replica,
    Role,
    Session,
    Setting,
    Slot,
    Statement,
)
from console.readings.redis import (
    BigKey,
    Queue,
    RedisClient,
    RedisKeys,
    RedisServer,
    ReplicaLink,
    Sentinel,
    SentinelPeer,
    SlowCall,
)
from console.readings.reply import LogTail
from console.readings.trends import Trend

__all__ = [
    "NOT_RECORDED",
    "Activity",
    "Address",
    "BigKey",
    "BlockedSession",
    "Database",
    "DcsMember",
    "EngineSelf",
    "Environment",
    "Evidence",
    "Finding",
    "Findings",
    "IoRow",
    "LogTail",
    "Pane",
    "PatroniMember",
    "PostgresIo",
    "PostgresMember",
    "PostgresSettings",
    "PostgresStatements",
    "PrivateText",
    "Queue",
    "Reading",
    "RedisClient",
    "RedisKeys",
    "RedisServer",
    "Replica",
    "ReplicaLink",
    "Role",
    "Sentinel",
    "SentinelPeer",
    "Session",
    "Setting",
    "Slot",
    "SlowCall",
    "State",
    "Statement",
    "Status",
    "Trend",
    "Watcher",
    "address",
    "hide_text",
    "stale_after_s",
    "topic",
    "topics",
]
