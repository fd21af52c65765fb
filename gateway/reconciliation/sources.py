"""Which statements there are: those that the packages of connectors that are set up declare."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.kit.manifest import DeclaredStatement
from connectors.kit.package import Package
from gateway.settings import Settings, SettingsError

#: Acts of a service against the institution's list; payments against the provider's file (the four legs: A to D).
ACTS, PAYMENTS = "A", "B"


@dataclass(frozen=True, slots=True)
class StatementSource:
    """One statement of one institution, and how this installation reads it."""

    connector: str
    statement: str
    form: DeclaredStatement
    title: Mapping[str, str]  #: Of the institution, `ar` and `en`.
    leg: str
    owner: str  #: Whose file it must be.
    headings: Mapping[str, str]  #: The installation's own names of columns.
    deadline_seconds: float  #: Of the exchange that it reports.

    @property
    def name(self) -> str:
        """`syriatel_cash.settlement`."""
        return f"{self.connector}.{self.statement}"

    @property
    def rules(self) -> dict[str, object]:
        """What a run went by, for its ruleset."""
        form = self.form
        money = [form.money.currency, form.money.denomination, form.money.unit] if form.money else None
        return {
            "source": self.name,
            "reports": form.reports,
            "zone": form.zone,
            "absence": form.absence,
            "columns": dict(sorted(form.headings(self.headings).items())),
            "money": money,
        }


def statement_sources(packages: Iterable[Package], settings: Settings) -> tuple[StatementSource, ...]:
    """The sources of these packages, sorted. Raises SettingsError for headings of what there is not."""
    found = {source.name: source for package in packages for source in _of(package, settings)}
    for name, headings in settings.reconciliation.columns.items():
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise SettingsError(f"reconciliation.columns names {name!r}, which is no statement (there are: {known}).")
        for field in headings:
            if field not in found[name].form.columns:
                raise SettingsError(f"reconciliation.columns.{name} names {field!r}, a column that it does not have.")
    return tuple(found[name] for name in sorted(found))


def _of(package: Package, settings: Settings) -> Iterable[StatementSource]:
    for name, form in package.manifest.statements.items():
        operation = package.manifest.operations[form.reports]
        given = settings.connector(package.name)
        yield StatementSource(
            connector=package.name,
            statement=name,
            form=form,
            title={"ar": package.manifest.title.ar, "en": package.manifest.title.en},
            leg=PAYMENTS if operation.role == "confirm" else ACTS,
            owner=str(given.get(form.owner, "")) if form.owner else "",
            headings=settings.reconciliation.columns.get(f"{package.name}.{name}", {}),
            deadline_seconds=operation.deadline_seconds,
        )
