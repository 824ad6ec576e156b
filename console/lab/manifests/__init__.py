"""What is applied to the laboratory's cluster, as the plain objects that ``kubectl apply`` takes."""
