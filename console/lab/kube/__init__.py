"""A Kubernetes API server of the laboratory's own: generic over kinds, one store, one revision.

It speaks the protocol as a real server does (a test replays a real server's answers) and stands in for nothing else:
no kubelet, no scheduler and no controller of workloads is in here.

What it leaves out, beside what ``tests/lab/kube/test_replay.py`` lists:

- Schemas of the built-in kinds: ``kubectl explain`` knows no fields, and unknown fields are kept, not refused. The client
  libraries and the console check what they send.
- Binary bodies of other types than ``protobuf`` names: ``kubectl create job`` and the like, for which ``apply`` does.
- Rules of validation that nobody here runs into; strategic merge by keys that the kinds here do not have.
- Several served versions of one definition, webhooks, conversion: no operator is installed.
- exec, attach, port-forward, proxy: a pod is a process of the laboratory, not a container.
- Addresses of Services, tokens of service accounts, ``kube-root-ca.crt``: nothing in the laboratory reads them.
- Checks against granting more than one has, and aggregated roles: the laboratory's roles are written out.
- ``events.k8s.io``: Events are kept and served as of ``v1``, which ``kubectl`` and the client libraries read.
- Persistence: what is in the store comes from the laboratory's processes, which write it anew when it starts.

Modules, lowest first: ``quantity``, ``errors``, ``kinds`` (with ``builtin`` and ``custom``), ``store``, ``selectors``,
``merging``, ``patches``, ``fieldsets``, ``apply``, ``defaults``, ``validation``, ``quota``, ``api``, ``scale``, ``deletion``,
``housekeeping``; ``rbac``, ``reviews``, ``discovery``, ``openapi``, ``ages``, ``podrow``, ``columns``, ``table``, ``paging``,
``watch``, ``providers``; ``cluster`` holds them together; ``protobuf``, ``bodies``, ``routes``, ``answers``, ``metrics``,
``handlers`` and ``server`` are the wire.
"""
