"""What a command says when it cannot go on: one sentence, on standard error, and a non-zero exit."""

from gateway.errors import CatalogueFault, Problem
from gateway.settings import SettingsError
from mappings.sentences import arabic_of, in_arabic


class CommandError(Exception):
    """The command cannot go on; the message is the whole sentence for the person at the terminal."""


def sentence_of(error: BaseException, language: str) -> str | None:
    """The sentence of an error that the house expects, or None when the error is a fault of the program."""
    if isinstance(error, CommandError | SettingsError | CatalogueFault):
        return in_arabic(str(error)) if language == "ar" else str(error)
    if isinstance(error, Problem):
        text = error.entry.clerk.filled(error.facts)
        return text.en if language == "en" else text.ar
    if type(error).__name__ in ("ContractRefused", "BackupError"):
        return str(getattr(error, "ar" if language == "ar" else "en"))
    if any(kind.__name__ in _SENTENCES for kind in type(error).__mro__):
        return _as_sentence(arabic_of(error) if language == "ar" else str(error))
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        said = error.strerror or type(error).__name__
        return f"{in_arabic(said) if language == 'ar' else said}{where}."
    return None


def _as_sentence(text: str) -> str:
    """The text as a sentence; a first word that is a file's path keeps its spelling."""
    first = text if "/" in text.partition(" ")[0] else f"{text[:1].upper()}{text[1:]}"
    return f"{first}{'' if text.endswith(('.', '?', '!')) else '.'}"


#: Raised by rooms that a command may never have entered; named, so that `jisr --help` need not import them.
_SENTENCES = frozenset(
    {
        "StoreError",
        "KeyringError",
        "ManifestError",
        "CalendarError",
        "CatalogueError",
        "CentresError",
        "SandboxError",
        "SettingError",
        "MappingError",
        "ToolError",
    }
)
