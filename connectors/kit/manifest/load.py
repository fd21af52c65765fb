"""Reads the manifest of a package folder."""

from pathlib import Path

from connectors.kit.manifest.checks import problems
from connectors.kit.manifest.errors import ManifestError
from connectors.kit.manifest.forms import Manifest
from connectors.kit.manifest.places import line_of, read_toml


def load_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`. Raises ManifestError with file, line and key."""
    file = f"{folder.name}/manifest.toml"
    manifest, text = read_toml(folder / "manifest.toml", file, Manifest)
    for key, problem in problems(manifest, folder):
        raise ManifestError(file, key, problem, line_of(text, key))
    return manifest
