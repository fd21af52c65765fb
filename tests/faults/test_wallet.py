"""Every error of the wallet, told to the citizen in canonical words, with exactly the right number of debits."""

from functools import partial

import pytest

from tests.faults.looking import Calling, certificate, codes, kinds, payment_of, stem_of, until_asked
from tests.gateways import until

#: Payer, reason, what is asked next. None of them debits anybody.
REFUSED_AT_REQUEST = {
    "minus_3": ("0930000003", "amount_invalid"),
    "minus_7": ("0930000007", "merchant_not_active"),
    "minus_10": ("0930000010", "merchant_no_wallet"),
    "minus_98": ("0930000198", "payment_expired"),
    "minus_101": ("0930000101", "payment_conflict"),
    "minus_102": ("0930000102", "caller_not_allowed"),
    "minus_100": ("0930000120", "payment_provider_unavailable"),
}
REFUSED_AT_CONFIRMATION = {
    "minus_6": ("0930000006", "payer_not_active", "choose_payment"),
    "minus_8": ("0930000008", "payer_no_wallet", "choose_payment"),
    "minus_13": ("0930000013", "balance_too_low", "choose_payment"),
    "minus_17": ("0930000017", "daily_limit", "choose_payment"),
    "minus_98": ("0930000098", "payment_expired", "choose_payment"),
    "minus_104": ("0930000104", "otp_expired", "confirm_otp"),
}
#: Payer, reason, debits: the gateway knows no more than that money may have moved.
IN_DOUBT = {
    "minus_99": ("0930000099", "provider_technical", 0),
    "minus_100": ("0930000100", "provider_technical", 0),
    "minus_100_after_debit": ("0930000110", "provider_technical", 1),
    "minus_103": ("0930000103", "debited_not_credited", 1),
    "unlisted": ("0930000177", "unlisted_code", 0),
}


def rows_of(table):
    return [pytest.param(*row, id=name) for name, row in table.items()]


def unique(request):
    """A key that no other test of the shared gateway uses."""
    return request.node.name


def confirm(gateway, sandbox, asked, key, *, number=1):
    otp = sandbox("syriatel_cash").otp(payment_of(asked, number))
    return gateway.act(asked, {"otp": otp}, key).json()


def words_of(told):
    return [
        told["reason"][reader][language] for reader in ("citizen", "clerk", "technician") for language in ("ar", "en")
    ]


@pytest.mark.parametrize(("payer", "reason"), rows_of(REFUSED_AT_REQUEST))
def test_a_refused_payment_request_asks_for_another_way_to_pay(standing, sandbox, request, payer, reason):
    told = until_asked(standing, unique(request), certificate(mobile=payer))
    assert (told["reason"]["code"], told["next_action"]["kind"]) == (reason, "choose_payment")
    assert all(words_of(told))
    assert sandbox("syriatel_cash").count() == 0
    assert told["payment"]["state"] == "payer_action"


@pytest.mark.parametrize(("payer", "reason", "action"), rows_of(REFUSED_AT_CONFIRMATION))
def test_a_refused_confirmation_says_why_and_what_next(standing, sandbox, request, payer, reason, action):
    asked = until_asked(standing, unique(request), certificate(mobile=payer))
    told = confirm(standing, sandbox, asked, f"otp-{unique(request)}")
    assert (told["state"], told["reason"]["code"]) == ("awaiting_citizen", reason)
    assert told["next_action"]["kind"] == action
    assert told["next_action"]["id"] != asked["next_action"]["id"]
    assert all(words_of(told))
    assert sandbox("syriatel_cash").count() == 0


@pytest.mark.parametrize(("payer", "reason", "debits"), rows_of(IN_DOUBT))
def test_a_confirmation_that_says_neither_yes_nor_no_leaves_the_payment_in_doubt(
    standing, sandbox, request, payer, reason, debits
):
    asked = until_asked(standing, unique(request), certificate(mobile=payer))
    told = confirm(standing, sandbox, asked, f"otp-{unique(request)}")
    assert (told["state"], told["payment"]["state"], told["reason"]["code"]) == ("in_doubt", "in_doubt", reason)
    assert told["next_action"] is None
    assert all(words_of(told))
    again = standing.act(asked, {"otp": "123456"}, f"again-{unique(request)}")
    assert (again.status_code, again.json()["code"]) == (409, "action_not_open")
    assert sandbox("syriatel_cash").calls("confirm") == 1
    assert sandbox("syriatel_cash").count() == debits
    assert sandbox("education").count() == 0, "nobody submits what is not surely paid"


@pytest.mark.parametrize(
    ("mode", "value", "debits"),
    [("cut_after", None, 1), ("cut_before", None, 0), ("cut_middle", None, 1), ("silence", None, 1), ("html", None, 1)]
    + [("truncate", size, 1) for size in (1, 9, 16, 24)],
)
def test_n4_n5_a_lost_answer_to_a_confirmation_leaves_the_payment_in_doubt(
    standing, sandbox, request, mode, value, debits
):
    asked = until_asked(standing, unique(request))
    sandbox("syriatel_cash").switch(mode, value, operation="confirm")
    told = confirm(standing, sandbox, asked, f"otp-{unique(request)}")
    assert (told["state"], told["payment"]["state"]) == ("in_doubt", "in_doubt")
    assert told["reason"]["code"] == "payment_in_doubt"
    assert sandbox("syriatel_cash").calls("confirm") == 1
    assert sandbox("syriatel_cash").count(payment_of(asked)) == debits


def test_minus_96_five_wrong_codes_end_the_payment_and_another_one_can_be_chosen(standing, sandbox, request):
    told = until_asked(standing, unique(request))
    right = sandbox("syriatel_cash").otp(payment_of(told))
    wrong = "000000" if right != "000000" else "111111"
    for number in range(5):
        assert told["next_action"]["kind"] == "confirm_otp"
        told = standing.act(told, {"otp": wrong}, f"wrong-{number}-{unique(request)}").json()
        assert told["reason"]["code"] == "otp_wrong"
    assert told["next_action"]["kind"] == "choose_payment"
    chosen = {"method": "syriatel_cash", "payer": {"mobile": "0930000002"}}
    again = standing.act(told, chosen, f"choose-{unique(request)}").json()
    again = standing.until_state(again["id"], "awaiting_citizen")
    assert again["next_action"]["kind"] == "confirm_otp"
    confirm(standing, sandbox, again, f"otp-{unique(request)}", number=2)
    done = standing.until_state(again["id"], "completed")
    assert done["payment"]["state"] == "succeeded"
    assert [row["operation_id"] for row in sandbox("syriatel_cash").effects()] == [payment_of(told, 2)]


def test_minus_13_a_payer_without_money_can_let_another_pay(standing, sandbox, request):
    asked = until_asked(standing, unique(request), certificate(mobile="0930000013"))
    told = confirm(standing, sandbox, asked, f"otp-{unique(request)}")
    chosen = {"method": "syriatel_cash", "payer": {"mobile": "+963930000002"}}
    again = standing.act(told, chosen, f"choose-{unique(request)}").json()
    again = standing.until_state(again["id"], "awaiting_citizen")
    confirm(standing, sandbox, again, f"otp2-{unique(request)}", number=2)
    standing.until_state(again["id"], "completed")
    assert sandbox("syriatel_cash").count() == 1


def test_a_resent_code_replaces_the_one_before(standing, sandbox, request):
    asked = until_asked(standing, unique(request))
    first = sandbox("syriatel_cash").otp(payment_of(asked))
    again = standing.act(asked, {"resend": True}, f"resend-{unique(request)}").json()
    assert (again["state"], again["reason"]) == ("awaiting_citizen", None)
    second = sandbox("syriatel_cash").otp(payment_of(asked))
    if first != second:
        told = standing.act(again, {"otp": first}, f"old-{unique(request)}").json()
        assert told["reason"]["code"] == "otp_wrong"
        again = told
    confirm(standing, sandbox, again, f"new-{unique(request)}")
    standing.until_state(asked["id"], "completed")
    assert sandbox("syriatel_cash").count() == 1


def test_minus_97_a_payment_whose_code_cannot_be_resent_is_chosen_anew(standing, sandbox, request):
    asked = until_asked(standing, unique(request), certificate(mobile="0930000097"))
    told = standing.act(asked, {"resend": True}, f"resend-{unique(request)}").json()
    assert (told["reason"]["code"], told["next_action"]["kind"]) == ("payment_expired", "choose_payment")
    assert sandbox("syriatel_cash").count() == 0


def test_a_lost_answer_to_a_resend_asks_for_the_code_again(standing, sandbox, request):
    asked = until_asked(standing, unique(request))
    sandbox("syriatel_cash").switch("cut_after", operation="resend", times=1)
    told = standing.act(asked, {"resend": True}, f"resend-{unique(request)}").json()
    assert (told["state"], told["next_action"]["kind"]) == ("awaiting_citizen", "confirm_otp")
    assert told["reason"]["code"] == "upstream_connection_lost"
    confirm(standing, sandbox, told, f"otp-{unique(request)}")
    standing.until_state(asked["id"], "completed")
    assert sandbox("syriatel_cash").count() == 1


def test_minus_500_a_token_that_ends_before_the_confirmation_is_fetched_anew_and_debits_once(
    standing, sandbox, request
):
    asked = until_asked(standing, unique(request))
    sandbox("syriatel_cash").switch("token_expired", operation="confirm", times=1)
    confirm(standing, sandbox, asked, f"otp-{unique(request)}")
    standing.until_state(asked["id"], "completed")
    assert sandbox("syriatel_cash").count() == 1
    assert "answer_lost" not in kinds(standing, asked)


def test_a_payment_that_expired_at_the_wallet_is_chosen_anew(standing, sandbox, request):
    asked = until_asked(standing, unique(request))
    otp = sandbox("syriatel_cash").otp(payment_of(asked))
    sandbox("syriatel_cash").advance_clock(301)
    told = standing.act(asked, {"otp": otp}, f"late-{unique(request)}").json()
    assert (told["reason"]["code"], told["next_action"]["kind"]) == ("otp_expired", "confirm_otp")
    sandbox("syriatel_cash").advance_clock(86_400)
    told = standing.act(told, {"otp": otp}, f"later-{unique(request)}").json()
    assert (told["reason"]["code"], told["next_action"]["kind"]) == ("payment_expired", "choose_payment")
    assert codes(standing, asked)[-2:] == ["otp_expired", "payment_expired"]
    assert sandbox("syriatel_cash").count() == 0


def test_a_paid_request_that_the_ministry_refuses_says_that_a_refund_is_due(standing, sandbox, request):
    asked = until_asked(standing, unique(request), certificate(national_number="99000000024"))
    confirm(standing, sandbox, asked, f"otp-{unique(request)}")
    told = standing.until_state(asked["id"], "refused")
    assert told["reason"]["code"] == "certificate_not_found"
    assert (told["payment"]["state"], told["payment"]["refund_due"]) == ("succeeded", True)
    assert sandbox("syriatel_cash").count() == 1
    assert sandbox("education").count() == 0


def test_d1_fifty_parallel_right_answers_to_one_action_debit_once(standing, sandbox, request):
    asked = until_asked(standing, unique(request))
    otp = sandbox("syriatel_cash").otp(payment_of(asked))
    sandbox("syriatel_cash").switch("latency", 200, operation="confirm")
    key = unique(request)
    calls = [Calling(partial(standing.act, asked, {"otp": otp}, f"{key}-{n}")) for n in range(50)]
    answers = [call.end() for call in calls]
    assert all(answer is not None for answer in answers)
    statuses = sorted(answer.status_code for answer in answers if answer is not None)
    assert statuses[0] in (200, 202)
    assert set(statuses[1:]) <= {409, 503}
    standing.until_state(asked["id"], "completed")
    assert sandbox("syriatel_cash").calls("confirm") == 1
    assert sandbox("syriatel_cash").count() == 1
    until(lambda: sandbox("education").count(f"{stem_of(asked)}-2") == 1, "the one copy")
