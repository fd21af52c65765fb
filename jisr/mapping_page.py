"""Renders docs/reference/mapping-language.md: the language in words, and its functions and limits from the code."""

import json
from itertools import groupby

from mappings.compiled import MAX_STEPS
from mappings.compiled.growth import MAX_GROWTH
from mappings.compiled.node import MAX_DEPTH
from mappings.dates import LETTERS
from mappings.documents import MAX_BYTES, MAX_DATA_BYTES
from mappings.expression import MAX_CHARACTERS
from mappings.functions import Documented, MappingFunctions, documented
from mappings.language import MAX_LEAVES, MAX_LEVELS, MAX_ROWS, MAX_TEXT, MAX_VALUES

_TEXT = """
# The mapping language

A mapping document says how a canonical document becomes what an institution's wire wants, and what the institution's
answer means. It is YAML whose text leaves are [JMESPath](https://jmespath.org) expressions; numbers and booleans stand
for themselves. A text constant is quoted within the expression: `"'certificate'"`. A leaf that gives null is left out
of the result, and so is a mapping in which nothing is left.

There is one document for each operation, `mapping/<operation>.yaml`, in a
[connector package](connector-package.md). Expressions are compiled once, when the package is loaded, from JMESPath's
syntax tree to closures that mean what the `jmespath` library means. What is wrong with a document is one sentence with
file, line and key at load; a value that does not fit is one sentence with file, line and key, and without the value.

Editors that read JSON Schema complete and check the files: let them begin with

```yaml
# yaml-language-server: $schema=../../../config/schemas/mapping.schema.json
```

There are also [mapping-parts.schema.json](../../config/schemas/mapping-parts.schema.json),
[mapping-cases.schema.json](../../config/schemas/mapping-cases.schema.json) and, for codes.toml,
[codes.schema.json](../../config/schemas/codes.schema.json).

## An example

```yaml title="mapping/submit.yaml"
request:
  body:
    requestId: operation_id
    nationalNumber: digits(applicant.national_number)
    fullName: join_name(applicant.name, 'given father family')
    born: date(applicant.birth_date, 'dd/MM/yyyy')
    governorate: code('governorates', input.governorate)
    urgent: flag(input.urgent, 'Y', 'N')
    copies: 1
    guardian:
      $when: input.guardian
      name: join_name(input.guardian, 'given family')
    children:
      $each: input.children
      $item:
        name: join_name(item, 'given family')
        father: applicant.name.given

answer:
  code: answer.result.code
  message: answer.result.text
  reference: answer.receipt
  data:
    decided_on: iso_date(answer.decidedOn, 'yyyyMMdd')
    fee: money_of(answer.fee, 'SYP-new', 'major')
```

With this canonical document

```json title="canonical.json"
{
  "operation_id": "0192f0c1",
  "applicant": {
    "national_number": "٩٩٠٠٠٠٠٠٥٠٠",
    "name": {"given": "سامر", "father": "خليل", "mother": "هدى", "family": "العينة"},
    "birth_date": "1990-05-17"
  },
  "input": {
    "governorate": "aleppo",
    "urgent": false,
    "children": [{"given": "ليلى", "family": "العينة"}, {"given": "كريم", "family": "العينة"}]
  }
}
```

the request's body is

```json title="request.json"
{
  "requestId": "0192f0c1",
  "nationalNumber": "99000000500",
  "fullName": "سامر خليل العينة",
  "born": "17/05/1990",
  "governorate": "02",
  "urgent": "N",
  "copies": 1,
  "children": [
    {"name": "ليلى العينة", "father": "سامر"},
    {"name": "كريم العينة", "father": "سامر"}
  ]
}
```

## Directives

| directive | does |
|---|---|
| `$when: expression` | leaves the mapping out unless the expression is true (JMESPath's truth: null, false, and empty text, lists and objects are false; zero is true) |
| `$use: name` | takes a part of `mapping/_parts.yaml`; keys beside it are added and win |
| `$each: expression` with `$item: …` | makes a list; inside, `item` is the current element and everything else stays visible |

## What a request reads

The canonical document: `operation_id`, `request` (`id`, `service`, `language`, `accepted_at`), `applicant`, `input`,
`delivery`, `fee`, `payer`, `reference`, `subject_operation_id`, `steps`, `quote` (`id`, `amount_minor`, `currency`,
`denomination`, `valid_until`), `action` (`kind`, `answer`: what the citizen answered to a next action); and beside it
`settings`, `secrets` (inputs that live for one exchange) and `token`. The sections are `path`, `query`, `headers` and `body`; a SOAP package has
`header` and `body`. Bytes are written as base64 on a JSON wire, and as the schema says on XML.

## What an answer reads

The same canonical document, and `answer` (the JSON object, or the children of the SOAP body's element) and `http`
(`status`, `headers` with lower-case names). Its keys are `code` (needed), `message`, `reference`,
`next_inquiry_seconds`, `data`, `documents` (each `name`, `media_type`, `content`, `sha256`), `same` (pairs that must be
equal, or the answer belongs to another act and is not read), `document_required` (the statuses that must bring a
document), and two more:

- `next_action`: what the citizen must do before the institution goes on. `kind` names one of the service's
  `[actions.KIND]`, where schema and texts stand; `details` (texts and whole numbers) fill the braces of those texts;
  `choices` gives a field of the answer the values to choose from (`[{{value, ar, en}}]`, or texts);
  `expires_in_seconds` and `expires_at` say how long the institution waits. The code must be `pending` (the act itself
  goes on after the answer) or `refused` (it has ended, and the answer begins another one). Channels see all of it, so
  nothing personal may stand in it.
- `quote`: the price that the institution names: `id`, `amount` (of `money_of`), `valid_until`. An operation with the
  role `quote` must give one when it succeeds; an answer that asks for consent to another price gives the new one.

A `token` operation gives `code`, `token` and `expires_in_seconds`.

Whether an answer means success, refusal or progress is not in the mapping: `code` is looked up in `codes.toml`, for the
operation first and then under `"*"`:

```toml
[codes.submit]
"00" = {{ status = "succeeded" }}
"01" = {{ status = "pending", code = "received" }}
"20" = {{ status = "refused", code = "certificate_not_found" }}
"90" = {{ error = "faulted" }}
```

`status` is `succeeded`, `pending`, `refused`, `absent` or `in_doubt`; `error` (`faulted`, `throttled`,
`closed`, `token_rejected`) is raised. **A code that is not listed is never final**: an operation that changes something is then
in doubt, one that only reads has failed.

## JMESPath

All of it: fields, sub-expressions, indexes, slices, projections, filters, flattening, multi-selects, pipes, literals,
comparisons, `&&`, `||`, `!`, `@`, expression references, and its functions, but for `to_number` and `avg`, which make
floats. A reference (`&a`) stands only as an argument of `map`, `sort_by`, `min_by` and `max_by`.

## Functions

Null in, null out; a value that does not fit is refused, never bent. The examples are run by the tests.
"""  # noqa: E501  # a row of a table is one line

_TITLES = {
    "text": "Text and numbers",
    "persons": "Persons",
    "dates": "Dates and times",
    "amounts": "Money",
    "tables": "Code tables and conditions",
    "lists": "Lists",
    "attachments": "Attachments",
}

_TOOLS = """
## Trying it

| command | does |
|---|---|
| `jisr mapping test PACKAGE` | runs every sample both ways and the cases beside the mapping, and shows what differs place by place |
| `jisr mapping lint PACKAGE` | says what is mapped wrongly although it loads: mandatory fields of the contract that nothing fills, fields that the contract or the canonical document does not have, codes, lossy types, what is not used |
| `jisr mapping try PACKAGE OPERATION` | shows both sides next to each other, for a sample, or for a document and an answer of your own |
| `jisr mapping explain PACKAGE OPERATION` | says for each field where it comes from, by which rule and in which line, and what stood there, masked |

All take a folder or a connector's name, and `--json`.

### Cases

`mapping/<operation>.cases.yaml` stands beside the mapping. A case starts from the canonical document of a sample
(`succeeded`, unless named), changes some of it, and says what the request, the outcome or the error is. Only what is
named is compared; null means that it is absent. With `rows` a case is a table: paths in the first row, a case in each
further one.

```yaml title="mapping/submit.cases.yaml"
cases:
  - case: the governorate is the official code
    rows:
      - [given.input.governorate, request.body.governorate]
      - [damascus, "01"]
      - [aleppo, "02"]
  - case: received is progress
    answer: {result: {code: "01"}, receipt: "70007"}
    outcome: {status: pending, reference: "70007"}
  - case: a day that does not exist is refused
    given: {applicant: {birth_date: 1990-02-31}}
    error: "request.body.born: the day does not exist"
```
"""  # noqa: E501  # a row of a table is one line


def mapping_language(mark: str) -> str:
    """The page."""
    text = mark + _TEXT.replace("{{", "{").replace("}}", "}")
    entries = documented(MappingFunctions)
    groups = {name: list(found) for name, found in groupby(sorted(entries, key=_group), key=_group)}
    for name, title in _TITLES.items():
        text += f"\n### {title}\n\n| function | gives | example |\n|---|---|---|\n"
        text += "".join(_row(entry) for entry in groups.pop(name))
        if name == "dates":
            text += _formats()
    assert not groups, "every group of functions has a title"
    return text + _limits() + _TOOLS


def _group(entry: Documented) -> str:
    return entry.group


def _row(entry: Documented) -> str:
    examples = "<br>".join(
        f"`{_cell(expression)}` → `{_cell(json.dumps(result, ensure_ascii=False))}`"
        if "`" not in expression
        else f"`` {_cell(expression)} `` → `{_cell(json.dumps(result, ensure_ascii=False))}`"
        for expression, result in entry.examples
    )
    return f"| `{entry.name}({', '.join(entry.arguments)})` | {_cell(entry.says)} | {examples} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _formats() -> str:
    letters = ", ".join(f"`{letters}`" for letters in LETTERS)
    return (
        f"\nA format is written with {letters}, or with `%Y %m %d %H %M %S %z`; `T` and everything that is no letter "
        "stands for itself. `MMMM` is the month's name as Syria writes it (كانون الثاني, شباط …); `XXX` is an offset "
        "like +03:00 or Z, `XX` one like +0300. What stands in brackets may be missing: `yyyy-MM-dd[XXX]` and "
        "`yyyy-MM-ddTHH:mm:ss[.S][XXX]` read all that XML Schema calls a date and a dateTime.\n"
    )


def _limits() -> str:
    rows = (
        ("a mapping document", f"{MAX_BYTES // 1024} KiB; of cases {MAX_DATA_BYTES // 1024} KiB"),
        ("YAML anchors and aliases, keys that stand twice", "refused"),
        ("levels", f"{MAX_LEVELS}"),
        ("expressions and mappings of one section, parts put in", f"{MAX_LEAVES:,}"),
        ("characters of an expression", f"{MAX_CHARACTERS:,}"),
        ("depth of an expression", f"{MAX_DEPTH}"),
        ("how often an expression may multiply what it reads (`[@, @] \\| [@, @] \\| …`)", f"{MAX_GROWTH:,} times"),
        ("rows of one `$each`", f"{MAX_ROWS:,}"),
        ("steps of one rendering (elements gone through, expressions evaluated for rows)", f"{MAX_STEPS:,}"),
        ("one result", f"{MAX_VALUES:,} values, {MAX_TEXT >> 20} MiB of text"),
    )
    text = "".join(f"| {what} | {most} |\n" for what, most in rows)
    return (
        "\n## Limits\n\nJMESPath has no loop that does not end, but lists within lists multiply; the steps are what "
        f"limits time. What exceeds a limit is one clear error.\n\n| of | at most |\n|---|---|\n{text}"
    )
