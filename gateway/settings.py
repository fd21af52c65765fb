"""The settings: defaults, overridden by one file, overridden by the environment; a wrong one is one clear sentence."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from gateway.settings_rules import rules
from gateway.time_settings import ScheduleSettings, StrandedSettings
from gateway.webhooks.settings import WebhookSettings, anchored

CONFIG_FOLDER = Path(__file__).resolve().parent.parent / "config"
BUILTIN_SERVICES = CONFIG_FOLDER / "services"
PREFIX = "JISR_"
#: Variables with the prefix that are no settings: where the file is, and what the command line client uses.
NOT_SETTINGS = frozenset({"JISR_CONFIG", "JISR_KEY", "JISR_KEY_FILE", "JISR_URL", "JISR_LANG", "JISR_CRASH_AT"})
#: The table of a connector's settings for test channels.
TEST = "test"
_LISTS = frozenset({"services_paths", "connector_paths"})
_PATHS = ("data_dir", "keyring_path", "centres_file", "calendar_file", "statements_folder")


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence for the person who wrote it."""


class DispatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How work is leased, retried and inquired about."""

    lease_seconds: float
    send_window_seconds: float
    max_tries: int
    poison_after: int
    backoff_first_seconds: float
    backoff_max_seconds: float
    poll_seconds: float
    max_wait_hours: float
    inquiry_seconds: tuple[float, ...]
    inquiry_wish_max_seconds: float
    absences_needed: int
    otp_tries: int
    lanes: dict[str, int]
    rates: dict[str, float]
    breaker_failures: int
    breaker_successes: int
    breaker_first_seconds: float
    breaker_max_seconds: float
    ramp_seconds: float
    deadlines: dict[str, float]


class CallbackSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How messages that institutions send by themselves are taken and kept."""

    unsigned_per_second: float
    quiet_seconds: float
    wait_hours: float
    keep_days: float
    keep_unsigned_days: float


class ReconciliationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How statements are looked for and read."""

    every_seconds: float
    columns: dict[str, dict[str, str]]


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much one process takes at once, and how much of it one channel may have."""

    channel_calls_per_second: float
    channel_calls_at_once: int
    channel_streams: int
    calls_at_once: int
    streams: int
    body_bytes: int
    unknown_keys_per_second: float


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the log looks and from which level on it speaks."""

    format: Literal["json", "console", "auto"]
    level: Literal["debug", "info", "warning", "error"]


class SandboxSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where `jisr sandbox` puts its servers."""

    base_port: int


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that is set, with relative paths resolved against the folder of the settings file."""

    data_dir: Path
    database_url: str
    migrate_at_start: bool
    host: str
    port: int
    keyring_path: Path
    services_paths: tuple[Path, ...]
    centres_file: Path
    calendar_file: Path
    statements_folder: Path
    connector_paths: tuple[Path, ...]
    idempotency_days: int
    key_cache_seconds: float
    max_body_bytes: int
    max_attachment_bytes: int
    attachment_hours: float
    unused_attachments: int
    unused_attachment_bytes: int
    verifications_per_second: float
    max_wait_seconds: float
    shutdown_seconds: float
    proposal_hours: float
    limits: LimitSettings
    dispatch: DispatchSettings
    callbacks: CallbackSettings
    reconciliation: ReconciliationSettings
    webhooks: WebhookSettings
    schedule: ScheduleSettings
    stranded: StrandedSettings
    log: LogSettings
    sandbox: SandboxSettings
    connectors: dict[str, dict[str, Any]]

    @property
    def service_folders(self) -> tuple[Path, ...]:
        """The folders of service files: those that come with the program, then the configured ones."""
        return (BUILTIN_SERVICES, *self.services_paths)

    @property
    def uses_sqlite(self) -> bool:
        """Whether the record database is the embedded one."""
        return self.database_url.startswith("sqlite:")

    @property
    def admin_socket_path(self) -> Path:
        """Where a running server answers the command line."""
        return self.data_dir / "admin.sock"

    def connector(self, name: str) -> dict[str, Any]:
        """The settings of one connector with its secrets resolved. Raises SettingsError for one that is missing."""
        where, given = f"connectors.{name}", self.connectors.get(name, {})
        return {key: resolve_secret(value, f"{where}.{key}") for key, value in given.items() if key != TEST}

    def test_connector(self, name: str) -> dict[str, Any] | None:
        """The settings with which test channels reach its test system; None when there is none.

        Raises SettingsError for a value that is missing, and for the live address. Keys are looked at in jisr/app.py,
        which knows what is one.
        """
        given = self.connectors.get(name, {}).get(TEST)
        if not isinstance(given, dict):
            return None
        where = f"connectors.{name}.{TEST}"
        resolved = {key: resolve_secret(value, f"{where}.{key}") for key, value in given.items()}
        live = self.connector(name)
        for key, value in resolved.items():
            if key == "base_url" and str(value).rstrip("/") == str(live.get(key, "")).rstrip("/"):
                raise SettingsError(f"{where}.{key} is the live address; a test channel must not reach it.")
        return resolved


def load(config: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from defaults.toml, then `config` (or JISR_CONFIG, or ./jisr.toml if it exists), then the
    environment. Raises SettingsError."""
    environment = os.environ if environment is None else environment
    values = _read(CONFIG_FOLDER / "defaults.toml")
    path = settings_file(config, environment)
    if path is not None:
        overrides = _read(path)
        _refuse_unknown(overrides, values, path.name)
        _merge(values, _anchored(overrides, path.resolve().parent))
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            _set(values, name, value)
    return _checked(_completed(values))


def resolve_secret(value: Any, where: str) -> Any:
    """`env:NAME` and `file:PATH` replaced by what they name; anything else as it is. Raises SettingsError."""
    if not isinstance(value, str):
        return value
    kind, _, rest = value.partition(":")
    if kind == "env":
        if rest not in os.environ:
            raise SettingsError(f"{where} names the environment variable {rest}, which is not set.")
        return os.environ[rest]
    if kind == "file":
        try:
            return Path(rest).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{where} names the file {rest}, which cannot be read: {_reason(error)}.") from error
    return value


def settings_file(config: Path | None, environment: Mapping[str, str] | None = None) -> Path | None:
    """The file that is read: the named one, JISR_CONFIG, or ./jisr.toml where that exists."""
    named = (os.environ if environment is None else environment).get("JISR_CONFIG")
    if config or named:
        return config or Path(str(named))
    return Path("jisr.toml") if Path("jisr.toml").is_file() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {_reason(error)}.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return "it is not UTF-8 text"


def _refuse_unknown(values: Mapping[str, Any], known: Mapping[str, Any], source: str) -> None:
    """Checked before the merge, so that the sentence can name the file; `connectors` is checked by the manifests."""
    for key, value in values.items():
        if key not in known:
            raise SettingsError(f"{source} has a setting {key!r} that does not exist.")
        inner = known[key]
        if key != "connectors" and isinstance(inner, dict) and isinstance(value, dict):
            for name in value:
                if name not in inner:
                    raise SettingsError(f"{source} has a setting '{key}.{name}' that does not exist.")


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _anchored(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relative paths of a settings file are meant from where the file lies."""
    result = dict(values)
    for key in _PATHS:
        if isinstance(result.get(key), str) and result[key]:
            result[key] = str(folder / result[key])
    for key in _LISTS:
        if isinstance(result.get(key), list):
            result[key] = [str(folder / item) if isinstance(item, str) else item for item in result[key]]
    result |= anchored(result.get("webhooks"), folder)
    if isinstance(result.get("connectors"), dict):
        result["connectors"] = {name: _anchored_secrets(spec, folder) for name, spec in result["connectors"].items()}
    return result


def _anchored_secrets(spec: Any, folder: Path) -> Any:
    if not isinstance(spec, dict):
        return spec
    return {
        key: _anchored_secrets(value, folder)
        if key == TEST
        else f"file:{folder / value.removeprefix('file:')}"
        if isinstance(value, str) and value.startswith("file:")
        else value
        for key, value in spec.items()
    }


def _set(values: dict[str, Any], name: str, value: str) -> None:
    """Lay one environment variable over the values."""
    section, _, rest = name.removeprefix(PREFIX).lower().partition("__")
    if section not in values:
        raise SettingsError(f"The environment variable {name} names no setting.")
    if not rest:
        values[section] = [part for part in value.split(os.pathsep) if part] if section in _LISTS else value
        return
    target = values[section]
    if section == "connectors":
        connector, _, key = rest.partition("__")
        if not key:
            raise SettingsError(f"The environment variable {name} needs the form JISR_CONNECTORS__NAME__SETTING.")
        target.setdefault(connector, {})[key] = value
    elif isinstance(target, dict) and rest in target:
        target[rest] = [part.strip() for part in value.split(",")] if isinstance(target[rest], list) else value
    else:
        raise SettingsError(f"The environment variable {name} names no setting.")


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """Fill in what depends on data_dir."""
    data_dir = Path(str(values["data_dir"])).absolute()
    values["data_dir"] = str(data_dir)
    values["keyring_path"] = values["keyring_path"] or str(data_dir / "keyring.json")
    values["centres_file"] = values["centres_file"] or str(CONFIG_FOLDER / "centres.toml")
    values["calendar_file"] = values["calendar_file"] or str(CONFIG_FOLDER / "calendar.toml")
    values["statements_folder"] = values["statements_folder"] or str(data_dir / "statements")
    values["database_url"] = values["database_url"] or f"sqlite:///{data_dir / 'jisr.sqlite'}"
    return values


def _checked(values: dict[str, Any]) -> Settings:
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_decoded)
    except msgspec.ValidationError as error:
        raise SettingsError(_sentence(str(error))) from error
    for wrong, sentence in rules(settings):
        if wrong:
            raise SettingsError(sentence)
    return settings


def _decoded(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str | Path):
        return Path(value).absolute()
    raise msgspec.ValidationError(f"Expected `str`, got `{type(value).__name__}`")


def _sentence(problem: str) -> str:
    """msgspec's message, turned round so that it begins with the setting's name."""
    what, _, where = problem.partition(" - at ")
    name = where.strip("`").removeprefix("$").removeprefix(".") or "(top level)"
    return f"The setting {name} is wrong: {what[:1].lower()}{what[1:]}."
