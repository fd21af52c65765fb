"""JMESPath's syntax tree as Python closures: every form that the `jmespath` library parses, with the library's meaning.

A differential test holds the closures against the library's interpreter, values and refusals alike. What the library
only refuses when it runs (an unknown function, a wrong number of arguments) is refused here at load.
"""

from mappings.compiled.budget import MAX_STEPS, OutOfSteps, charge, refill
from mappings.compiled.builder import build
from mappings.compiled.growth import growth_of, loops
from mappings.compiled.node import Evaluate, Node, walk
from mappings.compiled.paths import names_of, object_of

__all__ = [
    "MAX_STEPS",
    "Evaluate",
    "Node",
    "OutOfSteps",
    "build",
    "charge",
    "growth_of",
    "loops",
    "names_of",
    "object_of",
    "refill",
    "walk",
]
