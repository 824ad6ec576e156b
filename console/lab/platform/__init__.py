"""The laboratory's platform: a Kubernetes API server with its controllers and kubelets, in one process."""
