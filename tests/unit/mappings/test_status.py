"""The table of moves: walked by chance, it never leaves the table, and every final state is final."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.status import FINAL, MOVES, Attempt, IllegalMove, Intent, Request, State, move

EVENTS = sorted({event for _, _, event in MOVES})
#: What was paid may turn out to be too little: a price that rose is owed anew.
SETTLED_INTENTS = {Intent.FAILED, Intent.CANCELLED, Intent.EXPIRED}
SETTLED_ATTEMPTS = {Attempt.NOT_SENT, Attempt.SUCCEEDED, Attempt.DECLINED, Attempt.ABSENT}


def edges(kind: type[State]) -> list[tuple[str, str, State]]:
    return [(state, event, target) for (of, state, event), target in MOVES.items() if of is kind]


@pytest.mark.parametrize(
    ("kind", "start"), [(Request, Request.ACCEPTED), (Attempt, Attempt.PREPARED), (Intent, Intent.CREATED)]
)
def test_every_state_can_be_reached_from_the_first_one(kind, start):
    reached, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        for source, _, target in edges(kind):
            if source == state and target not in reached:
                reached.add(target)
                waiting.append(target)
    assert reached == set(kind)


@pytest.mark.parametrize(("kind", "final"), [(Request, FINAL), (Attempt, SETTLED_ATTEMPTS), (Intent, SETTLED_INTENTS)])
def test_a_final_state_has_no_way_out_and_every_other_has_one(kind, final):
    with_a_way_out = {kind(source) for source, _, _ in edges(kind)}
    assert with_a_way_out == set(kind) - set(final)


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_any_sequence_of_events_stays_inside_the_table(events):
    state = Request.ACCEPTED
    for event in events:
        try:
            target = move(state, event)
        except IllegalMove:
            continue
        assert isinstance(target, Request)
        assert MOVES[Request, state.value, event] is target
        assert state not in FINAL
        state = target


def test_states_of_different_kinds_that_share_a_word_keep_their_own_moves():
    assert move(Attempt.IN_DOUBT, "succeeded") is Attempt.SUCCEEDED
    assert move(Intent.IN_DOUBT, "succeeded") is Intent.SUCCEEDED
    with pytest.raises(IllegalMove, match="no move 'succeeded' from request state 'in_doubt'"):
        move(Request.IN_DOUBT, "succeeded")
