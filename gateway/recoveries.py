"""What this process found of workers that had died, for metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class Recoveries:
    """Counted since the process started."""

    jobs: int = 0  #: That were freed.
    last_seconds: float = 0.0  #: How long the last time, from the dead worker's last sign of life on; 0: never yet.
    longest_seconds: float = 0.0

    def tell(self, jobs: int, seconds: float) -> None:
        """So many were freed, after so long at most."""
        self.jobs += jobs
        self.last_seconds = seconds
        self.longest_seconds = max(self.longest_seconds, seconds)
