"""The laboratory's platform: ``python -m console.lab.platform DIRECTORY``, one process and one event loop.

It is the Kubernetes API server of ``console.lab.kube`` with a scheduler, controllers and six kubelets. **A pod is a process
of the laboratory**: a session of its own, with an address of its own in 127.A.B.0/24 (``hostNetwork``: 127.0.0.1), its output
in ``DIRECTORY/pods/NAMESPACE_POD/CONTAINER.log``. Everything that a status says was caused by such a process or by a
controller here.

What it is told is in ``DIRECTORY/kubernetes/platform.json`` (``settings``); ``Admin.of(DIRECTORY)`` is a client with all
rights. It writes ``kubeconfig`` (all rights), ``kubernetes/viewer.kubeconfig`` (user ``banksman``) and
``kubernetes/traefik.token`` (service account ``ingress/traefik``); the latter two may do what roles grant. Objects are kept
in ``kubernetes/state.json``: when the process is killed and started anew, they are there again, and their pods' processes,
which do not outlive it, count as restarted.

Shorter than in Kubernetes, so that one sees it happen: back-off of crashing containers 2 s doubling to 20 s (10 s to 300 s),
forgiven after a minute (ten); a node counts as lost 8 s after its last Lease (40 s); pods of ReplicaSets tolerate a lost
node for 15 s (300 s); autoscalers look every 5 s (15 s); failed pods are forgotten after 2 minutes; a pod that is not ready
is probed twice a second. Usage is measured every 10 s, and its shared memory taken apart when the resident one has changed.

What is left out, beside what ``console.lab.kube`` lists:

- Init containers, exec probes, lifecycle hooks, cpu limits, volumes. Containers share the machine's files: a hostPath is
  read by its path, a ConfigMap or Secret is read as environment.
- Memory limits are looked at every two seconds, over the processes' PSS; a real kernel does not wait.
- The scheduler knows requests, taints, nodeSelector and host ports, and spreads over zones; no affinities, no preemption.
- Autoscalers know the utilisation of cpu; no other metric, no scaling policies but Kubernetes' own for growth.
- StatefulSets, DaemonSets and Jobs run nothing. ReplicaSets adopt no pods.
- DiskPressure evicts nothing: a pod keeps nothing on its node's disk, so nothing would be gained. MemoryPressure does.

**Faults** act through the API or through ``control``, whose functions each say what they do:

- ``lose(DIRECTORY, *nodes, how="power" | "freeze")`` and ``restore(DIRECTORY, *nodes)``; a zone is
  ``lose(DIRECTORY, *zone(DIRECTORY, "a"))``. The node's Ready turns Unknown after 8 s, its pods are replaced after 15 s more
  and stay Terminating until it is back.
- ``fill_disk(DIRECTORY, node)`` and ``empty_disk``: DiskPressure within 2 s. MemoryPressure comes from pods that use more
  than the node has.
- ``metrics(DIRECTORY, there=False)``: no metrics.k8s.io. ``api(DIRECTORY, there=False)``: the API's ports are closed while
  all else goes on; while they are, only ``control`` reaches the platform. ``compact``: watches are told 410.
- Everything else by ``Admin``: an image that is not there, a command that fails, quotas, budgets, cordons and taints.

Modules, lowest first: ``settings``, ``admin``; ``kinds``, ``objects``, ``events``, ``controller``; ``scheduler``,
``replicasets``, ``rollout``, ``deployment_status`` and ``deployments``, ``endpoints``, ``budgets``, ``autoscaler``, ``podgc``; ``images``,
``variables``, ``child``, ``probes``, ``container``, ``podrun``, ``kubelet``, ``nodes``, ``lifecycle``; ``usage`` and ``meter``, ``logs``;
``entrance``, ``keeping``, ``control``; ``process`` holds them together.
"""
