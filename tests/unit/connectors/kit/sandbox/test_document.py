"""sandbox.toml: the schema and the loader agree, and whatever is wrong is one sentence with file, line and key."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from connectors.kit.manifest import ManifestError
from connectors.registry import find_packages
from tests.unit.connectors.kit.sandbox.packages import ask, copy_of, opened, replaced

ROOT = Path(__file__).parents[5]
SCHEMA = json.loads((ROOT / "config/schemas/sandbox.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
FILES = [package.folder / "sandbox.toml" for package in find_packages().values()]

#: Package, what is replaced, by what, the key that the sentence names, and its words.
WRONG = {
    "no toml": ("education", "[settings]", "[settings", "", "expected"),
    "unknown table": ("education", "[numbers]", "[nombers]", "nombers", "unknown key"),
    "unknown key of a rule": ("education", 'outcomes = "person.outcome"\n\n', 'outcomes = "person.outcome"\nthen = 1\n\n', "operations.submit.rules[0].then", "unknown key"),
    "no settings": ("education", "[settings]\n", "[answers.settings]\n", "settings", "the key is missing"),
    "act not stated": ("education", 'certificate_not_found = { say = "20", done = false }', 'certificate_not_found = { say = "20" }', "operations.submit.outcomes.certificate_not_found.done", "say whether copy is done"),
    "act without a word": ("education", 'effect = "copy"\n', "", "operations.submit", "needs an effect"),
    "last rule has a condition": ("transport", '  { answer = "first_page" },\n', "", "operations.vehicle-search.rules[2]", "the last rule holds always"),
    "unknown answer": ("transport", 'answer = "first_page" }', 'answer = "first" }', "operations.vehicle-search.rules[3].answer", "answers has no first"),
    "unknown document": ("education", 'document = "certified_copy"', 'document = "copy"', "operations.submit.rules[2].document", "documents has no copy"),
    "unknown fault": ("education", 'busy = { fault = "BUSY" }', 'busy = { fault = "AWAY" }', "operations.check.outcomes.busy.fault", "faults has no AWAY"),
    "unknown number": ("education", 'draw = "receipt"', 'draw = "ticket"', "operations.submit.rules[1].draw", "numbers has no ticket"),
    "unknown shared rules": ("syriatel_cash", 'use = "caller"', 'use = "callers"', "operations.initiate.rules[1].use", "shared has no callers"),
    "kept under no key": ("education", "keep.record.inquiries_left = 0", "keep.person.inquiries_left = 0", "operations.submit.rules[2].keep.person", "under which key"),
    "a name that nothing gives": ("education", 'if = "by_hand || person.inquiries"', 'if = "byhand || person.inquiries"', "operations.submit.rules[1].if", "nothing is named byhand"),
    "no expression": ("education", 'if = "by_hand || person.inquiries"', 'if = "by_hand ||"', "operations.submit.rules[1].if", "JMESPath"),
    "no pattern": ("transport", '"query.ownerNationalNumber" = "[0-9]+"', '"query.ownerNationalNumber" = "[0-9"', "operations.vehicle-search.rules[0].unlike", "not a regular expression"),
    "two kinds of read": ("education", 'record = { kept_under = "id" }', 'record = { kept_under = "id", days_from_today = 1 }', "reads.record", "exactly one"),
    "no id for the ledger": ("transport", "id = 'request", "key = 'request", "reads", "under which id|nothing is named id"),
    "an act of staff on nothing": ("education", 'kept = "record"', 'kept = "paper"', "acts.finish.kept", "nothing kept under the name paper"),
    "a status that is none": ("transport", "status = 404 }", "status = 4040 }", "operations.vehicle-check.rules[0].status", "<= 599"),
    "a wire that is none": ("transport", 'wire = "GET /v1/vehicles"', 'wire = "LOOK /v1"', "calls.vehicle-search.wire", "a method and a path"),
    "a shared rule that acts": ("syriatel_cash", 'bad_token = "request.body.token"\n', 'bad_token = "request.body.token"\ndone = true\n', "shared.caller[0]", "only answer"),
    "outcomes that nothing asks for": ("education", 'rules = [\n  { outcomes = "person.outcome" },\n', "rules = [\n", "operations.check.outcomes", "no rule says"),
    "hours of no zone": ("higher_education", 'zone = "Asia/Damascus"', 'zone = "Asia/Nowhere"', "hours.zone", "zone"),
    "hours that overlap": ("higher_education", 'sunday = ["08:00-15:30"]', 'sunday = ["08:00-15:30", "09:00-10:00"]', "hours.week", "overlap|sunday|08:00"),
    "another effect without an act": ("education", 'effect = "copy"\n', 'also = { notice = "id" }\n', "operations.submit.also", "needs an effect"),
    "another effect that is the act": ("education", 'effect = "copy"\n', 'effect = "copy"\nalso = { copy = "id" }\n', "operations.submit.also.copy", "own effect"),
    "callback after nothing": ("education", "[broken]", '[callbacks.result]\nafter = "issue"\nbody = { id = "id" }\n[broken]', "callbacks.result.after", "no rules for an operation issue"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "key", "words"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_one_sentence_with_file_and_key(tmp_path, name, old, new, key, words):
    folder = copy_of(name, tmp_path)
    replaced(folder / "sandbox.toml", old, new)
    with pytest.raises(ManifestError) as caught:
        opened(folder)
    assert re.match(rf"{name}/sandbox\.toml(:\d+)?: {re.escape(key)}", str(caught.value)), caught.value
    assert re.search(words, str(caught.value)), caught.value
    assert "\n" not in str(caught.value)


def test_a_person_without_an_outcome_is_one_sentence(tmp_path):
    folder = copy_of("education", tmp_path)
    replaced(folder / "persons.toml", 'outcome = "busy"\n', "")
    with pytest.raises(ManifestError, match=r"education/persons\.toml:\d+: persons\.\d+: each person has outcome"):
        opened(folder)


def test_the_schema_is_a_good_one():
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("file", FILES, ids=[file.parent.name for file in FILES])
def test_every_sandbox_of_the_tree_satisfies_the_schema_that_it_names(file):
    text = file.read_text("utf-8")
    assert list(VALIDATOR.iter_errors(tomllib.loads(text))) == []
    named = re.match(r"#:schema (\S+)\n", text)
    assert named is not None
    assert (file.parent / named[1]).resolve() == ROOT / "config/schemas/sandbox.schema.json"


def test_the_schema_refuses_what_the_loader_calls_an_unknown_key():
    tree = tomllib.loads(FILES[0].read_text("utf-8"))
    assert not VALIDATOR.is_valid({**tree, "colour": "red"})


def test_no_package_of_the_tree_has_python():
    assert [path for file in FILES for path in file.parent.rglob("*.py")] == []


def test_the_example_of_the_page_is_played(tmp_path):
    page = (ROOT / "docs/reference/sandbox.md").read_text("utf-8")
    example = next(
        block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if block.startswith("[settings]")
    )
    assert list(VALIDATOR.iter_errors(tomllib.loads(example))) == []
    folder = copy_of("syriatel_cash", tmp_path)
    (folder / "sandbox.toml").write_text(example, "utf-8")
    replaced(folder / "manifest.toml", '[rest]\nopenapi = "openapi/syriatel-cash.json"\n', "")  # b"{}" is none of it
    said = ask(opened(folder), "POST", "/ePayment_external_Json/rs/ePaymentExternalModule/paymentConfirmation", b"{}")
    assert json.loads(said.body) == {"errorCode": "-101"}
