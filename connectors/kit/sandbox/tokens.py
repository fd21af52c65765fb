"""The access tokens that a sandbox has issued and still accepts."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from connectors.kit.sandbox.institution import Desk


class TokenStore:
    """Tokens end by the institution's clock; they do not survive its end."""

    def __init__(self, desk: Desk, lifetime_seconds: int) -> None:
        self._desk = desk
        self._ends: dict[str, datetime] = {}
        self.lifetime_seconds = lifetime_seconds

    def issue(self) -> str:
        """A new token."""
        token = secrets.token_hex(16)
        self._ends[token] = self._desk.now() + timedelta(seconds=self.lifetime_seconds)
        return token

    def is_good(self, token: Any) -> bool:
        """Whether it was issued here and has not ended."""
        ends = self._ends.get(token) if isinstance(token, str) else None
        return ends is not None and self._desk.now() < ends

    def forget(self) -> None:
        """Every token is void from now on."""
        self._ends.clear()
