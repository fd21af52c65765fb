"""Finds connector packages by their manifest, and opens them. There is no central list.

A package is data for `connectors.kit.declarative`; Python in it is the exception (`connectors.kit.hooks`).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.kit.contract import Connector, Ports
from connectors.kit.declarative import DeclarativeConnector
from connectors.kit.manifest import ManifestError
from connectors.kit.manifest.places import placed
from connectors.kit.package import Package, load_package

__all__ = ["BUILT_IN", "ManifestError", "Package", "find_packages", "open_connector", "package_folders"]

_HERE = Path(__file__).parent
#: The roots that ship with the project.
BUILT_IN = (_HERE, _HERE / "payments")


def find_packages(paths: Iterable[Path] = ()) -> dict[str, Package]:
    """Every package by name, sorted: the project's own and those under `paths` (a package, or a root of packages).

    Raises ManifestError for a package that is wrong, for a path that is no folder, and for a name that stands twice.
    """
    found: dict[str, Package] = {}
    own = {root.resolve() for root in BUILT_IN}
    for folder in (*package_folders(BUILT_IN), *package_folders(paths)):
        package = load_package(folder, hooks=folder.parent in own)
        if package.name in found and found[package.name].folder != package.folder:
            raise ManifestError(
                str(folder / "manifest.toml"), "name", f"a connector named {package.name} exists already"
            )
        found[package.name] = package
    return dict(sorted(found.items()))


def package_folders(roots: Iterable[Path]) -> Iterator[Path]:
    """The package folders in these roots (a package, or a root of packages). Raises ManifestError."""
    for root in roots:
        if root.is_file():
            raise ManifestError(str(root), "", "a connector package is a folder; unpack an archive before it is named")
        if not root.is_dir():
            raise ManifestError(str(root), "", "the folder does not exist")
        if (root / "manifest.toml").is_file():
            yield root.resolve()
        else:
            yield from (child.resolve() for child in sorted(root.iterdir()) if (child / "manifest.toml").is_file())


def open_connector(package: Package, ports: Ports, *, lazily: bool = False) -> Connector:
    """The connector of a package. Raises ManifestError, and SettingError for `ports.settings`.

    `lazily` leaves the WSDL to the first call, which saves memory where hundreds of packages wait for theirs; what is
    wrong in it is then said by that call, and by everything that opens the package whole (`jisr doctor`).
    """
    try:
        connector = DeclarativeConnector(package, ports)
        if not lazily:
            connector.open()
    except ManifestError as error:
        raise placed(error, package.folder) from error
    return connector
