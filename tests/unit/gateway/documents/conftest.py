"""The same application as the tests of the API have, and the same office as those of callbacks."""

from tests.unit.gateway.api.conftest import Api, api
from tests.unit.gateway.callbacks.conftest import Office, Scene, office, scene

__all__ = ["Api", "Office", "Scene", "api", "office", "scene"]
