"""What is wrong with a package or with the settings that an installation gives it: one sentence each."""


class ManifestError(ValueError):
    """A connector package is wrong: one sentence that names the file, the line where it is known, and the key."""

    def __init__(self, file: str, key: str, problem: str, line: int | None = None) -> None:
        where = file if line is None else f"{file}:{line}"
        super().__init__(f"{where}: {key}: {problem}" if key else f"{where}: {problem}")
        self.file = file
        self.key = key
        self.problem = problem
        self.line = line


class SettingError(ValueError):
    """A setting of a connector is missing or wrong; the message names it and never shows its value."""
