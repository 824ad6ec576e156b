"""Pure functions: board and what earlier looks told → findings, causes, and who feels it. No I/O.

Every kind of finding is one judge in ``kinds/``, its thresholds in ``config/defaults.yaml`` and its page in
``config/runbooks``.
"""

from __future__ import annotations

from console.assessment.assessor import Assessor as _Assessor
from console.assessment.kinds import KINDS
from console.assessment.symptom import Kind
from console.settings import Defaults, EnvironmentFile


class Assessor(_Assessor):
    """The assessor with every kind that there is."""

    def __init__(self, environment: EnvironmentFile, defaults: Defaults) -> None:
        super().__init__(environment, defaults, KINDS)


__all__ = ["KINDS", "Assessor", "Kind"]
