"""A15: bytes that are no honest HTTP/1.1, and clients that hold a connection without using it.

What granian does (measured here): a request with both Content-Length and Transfer-Encoding is read by its
Transfer-Encoding and its connection is not used again for what was smuggled behind it; see each test for the rest.
Independent of the database, so that one kind is enough.
"""

import json
import socket
import time

import pytest

from tests.faults.looking import rows
from tests.gateways import VEHICLE, until

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
SOCKETS = 200
