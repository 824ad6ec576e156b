"""What a tenant's users do: through Traefik, or with the database itself."""
