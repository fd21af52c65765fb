"""A code that codes.toml does not list is never final, whatever the operation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.answer import UNLISTED_CODE, AnswerReader
from connectors.kit.contract import Effect, Status
from connectors.kit.errors import Faulted
from connectors.kit.manifest import ManifestError
from connectors.kit.mapping_tools.workbench import Workbench, answer_of, http_answer
from connectors.kit.wire import Said
from mappings.documents import Place
from mappings.reading import leaves
from tests.unit.connectors.kit.mapping_tools.authors import TREE, change, copy_of

BENCHES = {name: Workbench(folder) for name, folder in TREE.items()}
OPERATIONS = [(name, operation) for name, bench in BENCHES.items() for operation in bench.operations]


def _with_code(bench, operation, code):
    """The answer of the sample `succeeded` with this code in it, as the mapping reads it."""
    sample = bench.sample(operation)
    said = bench.heard(operation, answer_of(sample))
    tree, parts = bench.tree(operation), bench.tree("_parts")
    (leaf,) = [leaf for leaf in leaves(tree["answer"], parts, Place("", 0)) if leaf.key == ("code",)]
    path, *_ = leaf.reads  # where a code decides which of two counts, that one

    def put(value, rest):
        return {**value, rest[0]: put(value[rest[0]], rest[1:])} if rest else code

    return sample.json("canonical.json"), Said(put(dict(said.body), path[1:]))


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
@settings(max_examples=60, deadline=None)
@given(
    code=st.one_of(st.text(min_size=1, max_size=8), st.integers(-999, 999).map(str), st.integers(-9999, 9999)),
    status=st.sampled_from([200, 201, 400, 404, 500]),
)
def test_an_unlisted_code_is_in_doubt_or_a_fault(name, operation, code, status):
    bench = BENCHES[name]
    declared = bench.operations[operation]
    document, said = _with_code(bench, operation, code)
    if bench.package.codes.code(operation, str(code)) is not None:
        return

    try:
        outcome = AnswerReader(bench.package, declared)(
            said, {**document, "settings": bench.settings}, http_answer(b"", status)
        )
    except Faulted:
        assert declared.effect is Effect.SAFE or status >= 500
    else:
        assert (outcome.status, outcome.code) == (Status.IN_DOUBT, UNLISTED_CODE)
        assert declared.effect is not Effect.SAFE
        assert outcome.documents == ()
        assert not outcome.data


def test_a_fault_in_which_the_manifest_finds_no_code_is_a_fault_and_nothing_else(tmp_path):
    folder = copy_of("education", tmp_path)
    change(folder / "manifest.toml", 'fault_code = "', 'fault_code = "abs(fault.text) || ')
    bench = Workbench(folder)
    sample = bench.sample("submit", "fault-record-withheld")

    answer = answer_of(sample)
    assert answer is not None

    came = bench.concluded("submit", sample.json("canonical.json"), answer)

    assert isinstance(came, Faulted)


def test_an_expression_of_the_manifest_has_the_limits_of_a_mapping(tmp_path):
    folder = copy_of("education", tmp_path)
    change(folder / "manifest.toml", 'fault_code = "', f'fault_code = "{"a || " * 300}')

    with pytest.raises(ManifestError, match=r"soap\.fault_code: an expression has at most 1,000 characters"):
        Workbench(folder)
