"""A Kubernetes API server of the laboratory's own: generic over kinds, one store, one revision.

It speaks the protocol as a real server does (a test replays a real server's answers) and stands in for nothing else:
no kubelet, no scheduler and no controller of workloads is in here. What it does not do is listed in
``tests/lab/kube/test_replay.py``, each with its reason.

Modules, lowest first: ``quantity``, ``errors``, ``kinds`` (with ``builtin`` and ``custom``), ``store``, ``selectors``,
``merging``, ``patches``, ``fieldsets``, ``apply``, ``defaults``, ``validation``, ``quota``, ``api``, ``scale``, ``deletion``,
``housekeeping``; ``rbac``, ``reviews``, ``discovery``, ``openapi``, ``ages``, ``podrow``, ``columns``, ``table``, ``paging``,
``watch``, ``providers``; ``cluster`` holds them together; ``protobuf``, ``bodies``, ``routes``, ``answers``, ``metrics``,
``handlers`` and ``server`` are the wire.
"""
