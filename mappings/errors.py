"""The error of the mapping engine."""


class MappingError(ValueError):
    """A mapping document is wrong, or a value does not fit it. The message names file and key, never the value."""

    def __init__(self, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file = file
        self.key = key
        self.problem = problem
