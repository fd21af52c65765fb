"""Named points at which a test may kill this process, to prove that nothing is lost there.

Inert unless the environment sets CRASH_AT to a point's name, or to `name@reference`: then only a request under that
reference of its channel is deadly. CRASH_BY names another signal than KILL.
"""

import os
import signal

_AT, _, _OF = os.environ.get("CRASH_AT", "").partition("@")
_BY = signal.Signals[f"SIG{os.environ.get('CRASH_BY', 'KILL')}"]

POINTS = (
    "accept.before_commit",
    "accept.after_commit",
    "claim.after_commit",
    "work.begin",
    "intend.before_commit",
    "intend.after_commit",
    "answer.before_record",
    "settle.before_commit",
    "callback.after_commit",
    "callback.before_settle",
    "reconcile.before_intake",
    "reconcile.within_intake",
    "reconcile.after_intake",
    "reconcile.after_match",
    "reconcile.before_settle",
    "reconcile.before_report",
    "webhook.after_send",
    "decision.before_settle",
)


def point(name: str, of: str | None = None) -> None:
    """Die here when the environment names this point, and this reference or none."""
    if _AT and name == _AT and _OF in ("", of):
        os.kill(os.getpid(), _BY)
