"""The same application as the tests of the API have."""

from tests.unit.gateway.api.conftest import Api, api

__all__ = ["Api", "api"]
