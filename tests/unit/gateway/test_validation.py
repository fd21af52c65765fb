"""What bodies are good, what is said about the others, and in which one spelling the good ones are kept."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.openapi_examples import CERTIFICATE, VEHICLE
from gateway.canonicalise import canonicalise, is_plain
from gateway.catalogue import Catalogue
from gateway.errors import Problem
from gateway.security.principals import Kind, Principal
from gateway.strict_json import MAX_DEPTH, canonical_json, parse_json
from gateway.validation import CheckedRequest, Validator

SERVICES = Path(__file__).parents[3] / "config" / "services"
WEB = Principal("web", Kind.CHANNEL, "web", frozenset(), ("*",), 2)
VALIDATOR = Validator(Catalogue.load([SERVICES]), {"syriatel_cash": "syriatel"})


def certificate(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(CERTIFICATE))
    return {**body, **changes}


def check(body: Any) -> CheckedRequest:
    return VALIDATOR.check(WEB, body if isinstance(body, bytes) else json.dumps(body).encode())


def faults(body: Any) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as caught:
        check(body)
    assert caught.value.code == "invalid_request"
    return [(error.pointer, error.code) for error in caught.value.errors]


@pytest.mark.parametrize("body", [CERTIFICATE, VEHICLE])
def test_the_examples_of_the_reference_are_good(body: Any) -> None:
    assert check(body).service.id == body["service"]


def test_a_good_body_is_kept_in_one_spelling() -> None:
    body = certificate()
    body["applicant"] |= {"national_number": "٠١٠١٠٠٠٠٠٠١", "mobile": "0931234567"}
    body["input"]["exam_number"] = "۴۳۲۱"
    checked = check(body)
    assert checked.content["applicant"]["national_number"] == "01010000001"
    assert checked.content["applicant"]["mobile"] == "+963931234567"
    assert checked.content["input"]["exam_number"] == "4321"
    assert checked.content["payment"]["payer"]["mobile"] == "+963930000001"
    assert checked.content["delivery"] == {"method": "electronic"}
    assert checked.reference == "web-2026-0001"


def test_names_and_the_channels_own_words_are_kept_as_they_were_typed() -> None:
    body = certificate(reference="طلب ١٢٣")
    body["applicant"]["name"]["family"] = "آل ٣ـيـ"
    body["applicant"]["account"] = "حساب٥"
    checked = check(body)
    assert checked.content["applicant"]["name"]["family"] == "آل ٣ـيـ"
    assert checked.content["applicant"]["account"] == "حساب٥"
    assert checked.reference == "طلب ١٢٣"


def test_two_ways_of_writing_one_body_have_one_hash_and_another_body_has_another() -> None:
    escaped = json.dumps(certificate()).encode()
    plain = json.dumps(certificate(), ensure_ascii=False, indent=3, sort_keys=True).encode()
    assert check(escaped).body_hash == check(plain).body_hash
    assert check(certificate(reference="another")).body_hash != check(plain).body_hash


def test_a20_decomposed_text_becomes_composed_and_keyboard_marks_vanish() -> None:
    body = certificate()
    body["applicant"]["name"]["given"] = "\u0627\u0653دم"  # alef and madda above, two characters
    body["input"]["exam_number"] = "\u200f4321\u200e"
    checked = check(body)
    assert checked.content["applicant"]["name"]["given"] == "\u0622دم"
    assert checked.content["input"]["exam_number"] == "4321"


@pytest.mark.parametrize("text", ["علی", "کریم", "على", "عليّ"])
def test_a20_arabic_and_persian_letters_of_a_name_stay(text: str) -> None:
    body = certificate()
    body["applicant"]["name"]["given"] = text
    assert check(body).content["applicant"]["name"]["given"] == text


@pytest.mark.parametrize(
    "text",
    ["\ud800", "a\udfff", "a\x00b", "line\nbreak", "\u202eevil", "\u2066x\u2069", "\x85", "\ufffe"],
)
@pytest.mark.parametrize("place", ["name", "reference", "exam_number", "key", "deep"])
@pytest.mark.parametrize("escaped", [True, False])
def test_a20_text_that_is_not_what_it_seems_is_refused(text: str, place: str, escaped: bool) -> None:
    body: dict[str, Any] = certificate()
    if place == "name":
        body["applicant"]["name"]["given"] = text
    elif place == "reference":
        body["reference"] = text
    elif place == "exam_number":
        body["input"]["exam_number"] = text
    elif place == "key":
        body["input"][text] = 1
    else:
        body["input"]["exam_number"] = [{"a": [text]}]
    raw = json.dumps(body, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    with pytest.raises(Problem) as caught:
        check(raw)
    if not escaped and "\ud800" <= text[-1] <= "\udfff":
        assert caught.value.code == "malformed_json"  # such bytes are not UTF-8
    else:
        assert {error.code for error in caught.value.errors} & {"bad_unicode", "bad_characters"}


@pytest.mark.parametrize(
    "value",
    [
        "0", "-1", "1e3", "0.1+0.2", "NaN", "1" + "0" * 30, "25.000", "24.99", "٢٥٫٠٠", "25,00", " 25.00", "+25.00",
        "025.00", "2500", "", "25.", ".25", "0x19", "25.0000000000000000000001", "Infinity",
    ],
)  # fmt: skip
def test_a10_an_amount_that_is_not_exactly_the_fee_is_refused(value: str) -> None:
    body = certificate()
    body["payment"]["amount"]["value"] = value
    assert [pointer for pointer, _ in faults(body)] == ["/payment/amount/value"]


@pytest.mark.parametrize("value", ["25.00", "25.0", "25", "٢٥", "٢٥.٠٠", "۲۵.۰۰"])
def test_a10_an_amount_that_is_exactly_the_fee_is_taken_however_its_digits_are_written(value: str) -> None:
    body = certificate()
    body["payment"]["amount"]["value"] = value
    assert check(body).content["payment"]["amount"]["currency"] == "SYP"


@pytest.mark.parametrize("raw", ["25.00", "25", "1e3", "true", "null", "[25]", "2500000000000000000000000000000"])
def test_a10_an_amount_that_is_no_text_is_refused(raw: str) -> None:
    text = json.dumps(certificate()).replace('"25.00"', raw)
    assert faults(text.encode()) == [("/payment/amount/value", "amount_not_exact")]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("currency", "USD", "currency_mismatch"), ("denomination", "SYP-old", "denomination_mismatch")],
)
def test_a10_another_currency_or_denomination_is_refused(field: str, value: str, code: str) -> None:
    body = certificate()
    body["payment"]["amount"][field] = value
    assert faults(body) == [(f"/payment/amount/{field}", code)]


def test_the_amount_may_be_left_out() -> None:
    body = certificate()
    del body["payment"]["amount"]
    assert check(body).content["payment"]["method"] == "syriatel_cash"


@pytest.mark.parametrize(
    ("payment", "expected"),
    [
        (None, [("/payment", "payment_required")]),
        ({}, [("/payment/method", "required"), ("/payment/payer/mobile", "payer_mobile_required")][:1]),
        ({"method": "cheque"}, [("/payment/method", "method_not_offered")]),
        ({"method": "syriatel_cash"}, [("/payment/payer/mobile", "payer_mobile_required")]),
        ({"method": "syriatel_cash", "payer": {"mobile": "12"}}, [("/payment/payer/mobile", "mobile_wrong")]),
        (
            {"method": "syriatel_cash", "payer": {"mobile": "0944000001"}},
            [("/payment/payer/mobile", "payer_mobile_foreign")],
        ),
        ({"method": "syriatel_cash", "payer": "0931234567"}, [("/payment/payer", "wrong_type")]),
    ],
)
def test_a_payment_must_be_one_that_the_service_and_the_wallet_take(
    payment: Any, expected: list[tuple[str, str]]
) -> None:
    body = certificate()
    if payment is None:
        del body["payment"]
    else:
        body["payment"] = payment
    assert [fault for fault in faults(body) if fault in expected] == expected


def test_a_free_service_takes_no_payment() -> None:
    assert faults({**VEHICLE, "payment": {"method": "syriatel_cash"}}) == [("/payment", "payment_not_expected")]


def test_everything_that_is_wrong_is_said_at_once_even_when_the_service_is_unknown() -> None:
    body = {"service": "no.such", "applicant": {"national_number": "1", "assurance": "sure"}, "colour": "red"}
    assert set(faults(body)) == {
        ("/service", "service_unknown"),
        ("/applicant/name", "required"),
        ("/applicant/national_number", "national_number_wrong"),
        ("/applicant/assurance", "not_in_list"),
        ("/colour", "unknown_field"),
        ("/input", "required"),
    }


def test_a_place_has_one_error_and_no_more_than_a_hundred_are_listed() -> None:
    body = certificate() | {f"x{number}": 1 for number in range(300)}
    found = faults(body)
    assert len(found) == len({pointer for pointer, _ in found}) == 100


def test_a_long_key_does_not_make_a_long_answer() -> None:
    assert len(faults(certificate() | {"k" * 10_000: 1})[0][0]) < 300


@pytest.mark.parametrize("field", ["status", "amount_paid", "approved_by"])
def test_a9_a_field_that_is_not_the_channels_to_set_is_refused(field: str) -> None:
    assert faults(certificate(**{field: "x"})) == [(f"/{field}", "unknown_field")]


def test_a_service_may_demand_a_stronger_login(tmp_path: Path) -> None:
    text = (SERVICES / "transport.vehicle-statement.toml").read_text("utf-8")
    (tmp_path / "s.toml").write_text(text.replace('minimum_assurance = "low"', 'minimum_assurance = "high"'), "utf-8")
    validator = Validator(Catalogue.load([tmp_path]))
    with pytest.raises(Problem) as caught:
        validator.check(WEB, json.dumps(VEHICLE).encode())
    assert [(error.pointer, error.code) for error in caught.value.errors] == [
        ("/applicant/assurance", "assurance_too_low")
    ]


def test_a_service_beyond_the_rights_is_refused_before_its_fields_are_looked_at() -> None:
    narrow = Principal("n", Kind.CHANNEL, "n", frozenset(), ("transport.*",), 2)
    with pytest.raises(Problem, match="service_not_allowed"):
        VALIDATOR.check(narrow, json.dumps({"service": CERTIFICATE["service"]}).encode())


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"[" * 100_000, "json_too_deep"),
        (b'{"a":' * 100_000, "json_too_deep"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "json_too_deep"),
        (b'{"a":' + b"9" * 5000 + b"}", "json_number_too_long"),
        (b'{"a":-' + b"9" * 5000 + b".5}", "json_number_too_long"),
        (b'{"a":1e999999999}', "json_number_too_long"),
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"a":"\xff"}', "malformed_json"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        (b'{"a":01}', "malformed_json"),
        (b'{"a":"\n"}', "malformed_json"),
        (b'{"a":1,}', "malformed_json"),
        (b'{"a":1,"a":2}', "json_duplicate_key"),
        (b'{"a":{"\\u0062":1,"b":2}}', "json_duplicate_key"),
        (b'{"a":NaN}', "number_not_finite"),
        (b'{"a":-Infinity}', "number_not_finite"),
    ],
)
def test_a21_json_that_breaks_parsers_or_has_two_meanings_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_json(raw)
    assert caught.value.code == code


def test_a21_brackets_inside_texts_do_not_count_as_depth() -> None:
    assert parse_json(b'{"a":"' + b"[" * 1000 + b'\\""}') == {"a": "[" * 1000 + '"'}
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_numbers_with_a_point_stay_exact() -> None:
    assert parse_json(b"[0.1, 1e2, 10000000000000000000000000000001]") == [Decimal("0.1"), Decimal("1e2"), 10**31 + 1]
    assert canonical_json({"b": Decimal("1.50"), "a": 10**31}) == b'{"a":10000000000000000000000000000000,"b":1.50}'


@pytest.mark.parametrize("raw", [b"{}", b"[1,2]", b'"x"', b"null", b"true"])
def test_a_body_is_an_object(raw: bytes) -> None:
    with pytest.raises(Problem) as caught:
        check(raw)
    assert caught.value.code == ("invalid_request" if raw == b"{}" else "malformed_json")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_json_makes_validation_crash(value: Any) -> None:
    for body in (
        value,
        {**CERTIFICATE, "input": value},
        {**CERTIFICATE, "applicant": value},
        {**CERTIFICATE, "payment": value},
    ):
        with pytest.raises(Problem):
            check(json.dumps(body).encode())


@given(st.binary(max_size=200))
def test_no_bytes_make_validation_crash(raw: bytes) -> None:
    with pytest.raises(Problem):
        check(raw)


@given(st.text())
def test_a_text_without_need_of_care_is_told_apart_from_one_with(text: str) -> None:
    raw = json.dumps({"input": text}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    value, errors = canonicalise({"input": text})
    if is_plain(raw):
        assert (value, errors) == ({"input": text}, [])


def test_people_are_told_how_a_value_is_written_in_their_own_words() -> None:
    body = certificate()
    body["input"]["exam_number"] = "x"
    body["input"]["year"] = "2015"
    with pytest.raises(Problem) as caught:
        check(body)
    said = {error.pointer: error.message for error in caught.value.errors}
    assert said["/input/exam_number"].en.endswith("expected: 1 to 10 digits.")
    assert "من 1 إلى 10 أرقام" in said["/input/exam_number"].ar
    assert "عدد صحيح" in said["/input/year"].ar
    assert said["/input/year"].en.endswith("expected: a whole number.")
