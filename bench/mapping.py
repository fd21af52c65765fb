"""CPU of the compiled mapping language against the `jmespath` interpreter, on the packages' own mapping documents.

Both sides render the same sections for the same samples through the same `Template`; only the leaves differ: compiled
closures, or the library's tree interpreter over the tree that it parsed at load.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jmespath.visitor import Options, TreeInterpreter

from bench.measure import NO_DATABASE, Goal, Measurement, Place
from connectors.kit.contract import Ports
from connectors.kit.http import HttpAnswer
from connectors.kit.contract import Exchange
from connectors.kit.package import Package
from connectors.kit.tokens import LocalTokens
from connectors.kit.wire import RestWire, SoapWire
from connectors.registry import find_packages
from mappings.documents import read_document
from mappings.expression import Expression
from mappings.functions import MappingFunctions
from mappings.language import Compiler, Template
