"""The laboratory's real servers: each module writes one kind's configuration and says how it is started."""
