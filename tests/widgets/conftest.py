"""What tests of widgets share."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("shared-machine", deadline=None)  # how long one example takes says nothing where others run
settings.load_profile("shared-machine")
