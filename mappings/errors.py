"""The error of the mapping engine."""


class MappingError(ValueError):
    """A mapping document is wrong, or a value does not fit it. The message never shows the value."""

    def __init__(self, file: str, key: str, problem: str, line: int = 0) -> None:
        self.file = file
        self.line = line  #: From 1; 0 when it is not known.
        self.key = key
        self.problem = problem
        super().__init__(f"{self.where}: {key}: {problem}" if key else f"{self.where}: {problem}")

    @property
    def where(self) -> str:
        """`file:line`, or the file alone."""
        return f"{self.file}:{self.line}" if self.line else self.file
