"""Named points at which a test may kill this process, to prove that nothing is lost there.

Inert unless the environment sets CRASH_AT.
"""

import os
import signal

_AT = os.environ.get("CRASH_AT", "")

POINTS = (
    "accept.before_commit",
    "accept.after_commit",
    "claim.after_commit",
    "intend.before_commit",
    "intend.after_commit",
    "answer.before_record",
    "settle.before_commit",
    "callback.after_commit",
    "callback.before_settle",
    "reconcile.before_intake",
    "reconcile.after_intake",
    "reconcile.after_match",
    "reconcile.before_settle",
    "reconcile.before_report",
    "webhook.after_send",
)


def point(name: str) -> None:
    """Die here by SIGKILL when the environment names this point."""
    if _AT and name == _AT:
        os.kill(os.getpid(), signal.SIGKILL)
