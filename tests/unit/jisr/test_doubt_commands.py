"""`jisr doubt` as two operators use it, each with a key of their own, in Arabic and in English."""

import re

import pytest

from tests.faults.looking import certificate, payment_of, until_asked
from tests.unit.jisr.test_cli import jisr

__all__ = ["jisr"]


@pytest.fixture
def doubt(jisr, standing, request):
    """`doubt("layla", "list")`: a command with that operator's key; names are this test's own."""
    keys = {}

    def run(who, *arguments, lang="en"):
        if who not in keys:
            name = f"{request.node.name}-{who}"
            roles = [part for role in ("maker", "checker") for part in ("--role", role)]
            added = jisr("--config", standing.config, "operator", "add", name, *roles)
            keys[who] = added.stdout.strip()
        return jisr("--lang", lang, "doubt", *arguments, JISR_KEY=keys[who], JISR_URL=standing.url)

    return run


def test_two_people_decide_by_commands_and_read_what_it_means_in_their_language(doubt, standing, sandbox, request):
    asked = until_asked(standing, request.node.name, certificate(mobile="0930000099"))
    otp = sandbox("syriatel_cash").otp(payment_of(asked))
    standing.act(asked, {"otp": otp}, f"otp-{request.node.name}")

    seen = doubt("layla", "show", asked["id"], lang="ar")
    assert "لم يتم (أشخاص: 2)" in seen.stdout
    assert "فسيُخصم من المواطن مرتين" in seen.stdout
    assert '"moves_money": true' in doubt("layla", "show", asked["id"], "--json").stdout
    nobody = doubt("layla", "inquire", asked["id"])
    assert (nobody.returncode, "action_not_possible" in nobody.stderr) == (1, True)

    proposed = doubt("layla", "propose", asked["id"], "not_done", "--reason", "their books lack it")
    (decision,) = re.findall(r"jisr doubt approve (\S+)", proposed.stdout)
    assert "debited twice" in proposed.stdout
    assert "not done (test_two_people" in doubt("rana", "list", "--proposed", "--limit", "200").stdout
    own = doubt("layla", "approve", decision, "--yes")
    assert (own.returncode, "[same_person]" in own.stderr) == (1, True)
    unread = doubt("rana", "approve", decision, lang="ar")
    assert (unread.returncode, "ثم أعد الأمر مع" in unread.stderr) == (1, True)
    assert "their books lack it" in unread.stdout, "it is shown, and nothing is done"
    approved = doubt("rana", "approve", decision, "--yes", lang="ar")
    assert "لم يتم: موافق عليه" in approved.stdout
    standing.until_state(asked["id"], "awaiting_citizen")
    late = doubt("rana", "refuse", decision, "--reason", "too late")
    assert (late.returncode, "[decision_closed]" in late.stderr) == (1, True)


def test_a_wrong_word_and_a_missing_key_are_one_sentence(doubt, jisr):
    wrong = doubt("layla", "propose", "0192", "perhaps", "--reason", "x")
    assert "There is no decision 'perhaps'; there are done, not_done and resend." in wrong.stderr
    keyless = jisr("--lang", "en", "doubt", "list")
    assert (keyless.returncode, keyless.stderr.strip()) == (
        *(1, "Your operator's key is needed: --key-file or JISR_KEY."),
    )
    assert doubt("layla", "list", "--reason", "no such code").stdout.strip() == "Nothing waits."
    unknown = doubt("layla", "show", "0192")
    assert (unknown.returncode, "[not_found]" in unknown.stderr) == (1, True)


def test_roles_are_given_and_taken_by_the_machine_s_operator(jisr, standing, request):
    def operator(*arguments):
        return jisr("--lang", "en", "--config", standing.config, "operator", *arguments)

    name = request.node.name
    assert operator("add", name).returncode == 0
    assert operator("roles", name, "--role", "maker").stdout.strip() == f"Roles of {name}: maker."
    assert name in operator("list").stdout
    assert operator("roles", name).stdout.strip() == f"Roles of {name}: none."
    assert "No operator named 'nobody' has a valid key." in operator("roles", "nobody", "--role", "maker").stderr
