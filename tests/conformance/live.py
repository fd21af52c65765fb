"""Calls against a running sandbox that a test makes itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from connectors.kit.conformance.bench import Stage, acted_id, opened
from tests.conformance.packages import SUBJECTS
from tests.sandboxes import SandboxProcess

__all__ = ["Stage", "acted_id", "staged"]


@asynccontextmanager
async def staged(name: str, operation: str, sandbox: Callable[[str], SandboxProcess]) -> AsyncIterator[Stage]:
    """A clean sandbox and a connector that speaks to it."""
    process = sandbox(name)
    async with opened(SUBJECTS[name], process.port) as connector:
        yield Stage(SUBJECTS[name], connector.operations[operation], connector, process)
