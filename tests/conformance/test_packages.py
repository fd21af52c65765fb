"""Every check of the conformance suite for every package that exists; the suite itself is connectors.kit.conformance."""

import pytest

from connectors.kit.conformance.suite import checks_of, run_check
from tests.conformance.packages import SUBJECTS

CHECKS = [
    pytest.param(name, check, id=f"{name}-{check.id}")
    for name, subject in SUBJECTS.items()
    for check in checks_of(subject)
]


@pytest.mark.parametrize(("name", "check"), CHECKS)
async def test_a_package_keeps_its_promises(sandbox, name, check) -> None:
    result = await run_check(SUBJECTS[name], check, lambda: sandbox(name))
    if result.status == "skipped":
        pytest.skip(f"deliberately: {result.text.en}")
    where = f" ({result.place.file}:{result.place.line})" if result.place else ""
    assert result.status == "passed", f"{result.text.en}{where}"


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_operation_of_a_package_is_examined(name) -> None:
    examined = {check.operation for check in checks_of(SUBJECTS[name])}
    declared = SUBJECTS[name].package.manifest.operations
    assert examined - {""} == {key for key, operation in declared.items() if operation.role != "token"}
