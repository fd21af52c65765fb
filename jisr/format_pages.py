"""Renders the reference pages of the files that people write, from the schemas that editors complete with."""

from collections.abc import Mapping
from typing import Any

_MANIFEST = """
# manifest.toml

The manifest of a [connector package](connector-package.md): what the institution's service can do, how calls prove who
sends them, and which settings an installation must give. What is wrong in it is one sentence with file, line and key.

An editor that reads JSON Schema completes and checks it: let the file begin with

```toml
#:schema ../../config/schemas/manifest.schema.json
```

(the path to [config/schemas/manifest.schema.json](../../config/schemas/manifest.schema.json) as seen from the file).

## An example

```toml title="manifest.toml"
name = "registry"
version = "1"
kind = "rest"

[title]
ar = "السجل"
en = "The registry"

[settings.base_url]
type = "url"
description = "Scheme, host and port of the registry"

[settings.client_certificate]
type = "pem"
description = "Our certificate; in jisr.toml: file:PATH"

[settings.client_key]
type = "pem"
secret = true

[settings.registry_ca]
type = "pem"
optional = true
description = "The registry's own authority"

[settings.username]
type = "text"

[settings.password]
type = "text"
secret = true

[settings.callback_secret]
type = "text"
secret = true

[http]
trust = "registry_ca"

[[authentication]]
kind = "mutual_tls"

[[authentication]]
kind = "basic"

[hours]
zone = "Asia/Damascus"
holidays = [2026-04-17]

[hours.week]
sunday = ["08:00-13:00", "13:30-15:30"]
monday = ["08:00-15:30"]

[operations.submit]
wire = "POST /v1/extracts"
role = "submit"
effect = "inquirable"
inquire = "inquire"
deadline_seconds = 20

[operations.inquire]
wire = "GET /v1/extracts/{id}"
role = "inquire"
effect = "safe"
hours = "always"

[callbacks.result]
operation_id = "requestId"

[callbacks.result.signature]
header = "X-Signature"
signed = ["timestamp", "body"]
```
"""
_MANIFEST_END = """
## What the loader checks between the parts

- A role that only reads has effect `safe`; every other has not. `inquirable` names an operation with role `inquire`.
- Every kind of authentication finds its settings, in the right type, and secret ones with `secret = true`. A secret has
  no default.
- One kind alone is `[authentication]`; several are `[[authentication]]`, such as `mutual_tls` with `x509_signature`
  and `username_token`, or with `basic`. Two that would stand in the same place of a message cannot be combined: `basic`
  with `oauth2_client_credentials`, two kinds of token, two of message signatures.
- A path (`soap.wsdl`, `rest.openapi`) stays inside the package: no absolute path, no `..`, and no link that leads out.
- Opening times do not overlap and end on their own day; a night is written as two days, `24:00` ends a day.
- The signature of a message or of a callback covers the body.

## Notes on authentication

**Keys and certificates** are settings of type `pem`: their text, best written in jisr.toml as `"file:PATH"`. They are
never written to disk by the gateway, and never shown.

**Certificates of the institution** are always checked, with the host name, and nothing falls back to plain text. One
that is unknown, expired or of another host is "not sent" (fault N14), in a sentence that says which of these it is.

**Our certificate**, when the institution refuses it: with TLS 1.2 that is "not sent", in the institution's own word
(`unknown ca`, `certificate expired`). In TLS 1.3 the refusal comes after our first bytes, and the alert does not tell
whether they were read (RFC 8446, 4.4.2): the call is in doubt, with the same word.

**OAuth2**: HTTP Basic at the token's address, then `Authorization: Bearer`; on 401 the token is fetched anew once and
the call repeated once. **token_operation**: an answer code with `error = "token_rejected"` does the same. One token per
connector is shared by all workers. When it cannot be fetched the call ends as `TokenUnavailable`: nothing was sent.

**X.509**: what is sent has the certificate as BinarySecurityToken, and a signature (RSA-SHA256, SHA-256, exclusive
canonicalisation) over Body and Timestamp; with `username_token` its token stands in the same header and is signed too.
What comes back is believed only when its one Security header signs the very Body that is read and the very Timestamp,
with these algorithms, by a certificate of the setting `institution_certificate` (several may stand in it while the
institution renews its own), not long ago. A key that travels in the message is never used.

**Callbacks**: `read_callback` gives whether it is verified, the operation id and the outcome. One that is not signed,
or not well, is never more than a reason to inquire.
"""
_MANIFEST_TABLES: Mapping[str, str] = {
    "Manifest": "Top of the file",
    "Title": "`[title]`",
    "Setting": "`[settings.NAME]`",
    "DeclaredOperation": "`[operations.NAME]`",
    "DeclaredPaysIn": "`pays_in` of a payment operation",
    "Http": "`[http]`",
    "Rest": "`[rest]`",
    "Soap": "`[soap]`",
    "Hours": "`[hours]`",
    "Week": "`[hours.week]`",
    "NoAuthentication": "`[authentication]` kind `none`",
    "Basic": "`[authentication]` kind `basic`",
    "ApiKey": "`[authentication]` kind `api_key`",
    "Hmac": "`[authentication]` kind `hmac`",
    "RsaSignature": "`[authentication]` kind `rsa_signature`",
    "OAuth2": "`[authentication]` kind `oauth2_client_credentials`",
    "TokenOperation": "`[authentication]` kind `token_operation`",
    "UsernameToken": "`[authentication]` kind `username_token`",
    "X509Signature": "`[authentication]` kind `x509_signature`",
    "MutualTls": "`[authentication]` kind `mutual_tls`",
    "DeclaredCallback": "`[callbacks.NAME]`",
    "CallbackSignature": "`[callbacks.NAME.signature]`",
    "DeclaredStatement": "`[statements.NAME]`",
    "StatementMoney": "`[statements.NAME.money]`",
}
_SERVICE = """
# A service file

A service is data: one file in `config/services/`, or in a folder of the setting `services_paths`. Its steps name
operations of connectors; [Add a service](../how-to/add-a-service.md) shows one from the first line to the document.
What is wrong in it is one sentence with file and key.

An editor that reads JSON Schema completes and checks it: let the file begin with

```toml
#:schema ../schemas/service.schema.json
```

(the path to [config/schemas/service.schema.json](../../config/schemas/service.schema.json) as seen from the file).
"""
_SERVICE_END = """
## What the loader checks beyond this

- Every connector and operation that a step names exists; a service whose connectors are not set up is not offered.
- The amount has no more decimals than its denomination.
- `input` as a whole is a valid JSON Schema 2020-12, and `input.required` names fields of `input.properties`.
"""
_SERVICE_TABLES: Mapping[str, str] = {
    "": "Top of the file",
    "Words": "`[name]`, and `title` and `hint` of a field",
    "Fee": "`[fee]`",
    "Step": "`[[steps]]`",
    "Input": "`[input]`, and `[result]`",
    "Field": "`[input.properties.NAME]`, and `[result.properties.NAME]`",
    "Action": "`[actions.KIND]`",
}


_NAMES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}


def manifest(mark: str) -> str:
    """docs/reference/manifest.md."""
    from connectors.kit.manifest.schema import manifest_schema

    return mark + _MANIFEST + _tables(manifest_schema(), _MANIFEST_TABLES) + _MANIFEST_END


def service_file(mark: str) -> str:
    """docs/reference/service-file.md."""
    from gateway.service_schema import service_schema

    return mark + _SERVICE + _tables(service_schema(), _SERVICE_TABLES) + _SERVICE_END


def _tables(schema: Mapping[str, Any], headings: Mapping[str, str]) -> str:
    """A table per definition. Raises KeyError when one has no heading, so that no key stays unexplained."""
    text = ""
    for name in dict.fromkeys((*headings, *schema["$defs"])):
        definition = schema["$defs"][name] if name else schema
        text += f"\n## {headings[name]}\n\n"
        if "description" in definition:
            text += f"{definition['description']}\n"
        rows = [
            _row(key, declared, required=key in definition.get("required", ()))
            for key, declared in definition.get("properties", {}).items()
            if key != "kind" or len(declared["enum"]) > 1  # the one kind stands in the heading
        ]
        if rows:
            text += f"\n| key | value | default | what |\n|---|---|---|---|\n{''.join(rows)}"
    return text


def _row(key: str, declared: Mapping[str, Any], *, required: bool) -> str:
    default = "required" if required else _default(declared.get("default"))
    what = _cell(declared.get("description", ""))
    return f"| `{key}` | {_cell(_kind(declared))} | {default} | {what} |\n"


def _default(value: Any) -> str:
    if value is None or value in ("", [], ()):
        return ""
    written = "true" if value is True else "false" if value is False else value
    if isinstance(value, list | tuple):
        return ", ".join(f"`{item}`" for item in value)
    if isinstance(value, float) and value.is_integer():
        return f"`{int(value)}`"
    return f"`{str(written).encode('unicode_escape').decode('ascii') if isinstance(value, str) else written}`"


def _kind(declared: Mapping[str, Any]) -> str:
    if "enum" in declared or "const" in declared:
        return ", ".join(f"`{str(value).lower() if value is False else value}`" for value in _values(declared))
    if "anyOf" in declared and (plain := _plain_types(declared)):
        return ", ".join(plain)
    match declared.get("type"):
        case "array":
            return f"list of {_kind(declared.get('items', {}))}"
        case "object" if "additionalProperties" in declared:
            return "tables by name"
        case "string" | "integer" | "number" | "boolean" as plain:
            return _NAMES[plain]
    return "table"


def _values(declared: Mapping[str, Any]) -> list[Any]:
    return list(declared.get("enum", [declared.get("const")]))


def _plain_types(declared: Mapping[str, Any]) -> list[str]:
    return [_kind(one) for one in declared["anyOf"] if "type" in one and one["type"] != "array"]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
