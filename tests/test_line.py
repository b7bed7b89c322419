"""La file : à qui le tour, quelles que soient les adresses et les personnes ; la place gardée de qui revient."""

from collections import Counter

import pytest

from workshop.page.line import LATE_SECONDS, Line, Room
from workshop.page.visitor import Visitor

LOOP = Visitor("10.0.0.1")                  # un programme, sans cookie
BROWSER = Visitor("10.0.0.1", "cookie")     # quelqu'un à la même adresse
ELSEWHERE = Visitor("10.0.0.2")


class Clock:
    """Une heure que l'on avance à la main."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture(name="clock")
def _clock():
    return Clock()


def names(turns):
    """Qui sont-ils ?"""
    return [turn.reader for turn in turns]


def test_the_last_seats_are_for_who_has_none():
    room = Room(2, for_persons=1, for_addresses=1)
    assert room.size == 4
    assert room.accepts(LOOP, Counter({LOOP: 1})) and not room.accepts(LOOP, Counter({LOOP: 2}))
    assert room.accepts(BROWSER, Counter({LOOP: 2})) and not room.accepts(BROWSER, Counter({LOOP: 2, BROWSER: 1}))
    assert room.accepts(ELSEWHERE, Counter({LOOP: 2, BROWSER: 1}))
    assert not room.accepts(ELSEWHERE, Counter({LOOP: 2, BROWSER: 1, ELSEWHERE: 1}))


def test_alone_one_takes_turns_in_order(clock):
    line = Line(Room(2), Room(10), clock)
    for number in range(5):
        assert line.join(number, LOOP, Counter()) is None
    to_seat, others = line.plan(Counter())
    assert names(to_seat) == [0, 1] and names(others) == [2, 3, 4] and len(line) == 5
    line.leave([0, 1])
    assert names(line.plan(Counter({LOOP: 2}))[1]) == [2, 3, 4] == list(line)


def test_an_address_passes_after_those_who_have_less(clock):
    line = Line(Room(4), Room(10), clock)
    for number in range(3):
        line.join(f"boucle {number}", LOOP, Counter({LOOP: 4}))
    line.join("navigateur", BROWSER, Counter({LOOP: 4}))
    line.join("ailleurs", ELSEWHERE, Counter({LOOP: 4}))
    _, others = line.plan(Counter({LOOP: 4}))
    assert names(others) == ["ailleurs", "navigateur", "boucle 0", "boucle 1", "boucle 2"]


def test_who_comes_back_in_time_finds_their_place(clock):
    line = Line(Room(1), Room(1), clock)
    seated = Counter({LOOP: 1})
    assert line.join("assis sur le banc", LOOP, seated) is None
    assert line.join("prié de revenir", LOOP, seated) == 1
    line.leave(["assis sur le banc"])
    assert line.join("arrivé ensuite", LOOP, seated) == 1    # quelqu'un est avant lui
    clock.now += 1
    assert line.join("revenu", LOOP, seated) is None and len(line) == 1


def test_a_place_is_not_kept_for_ever(clock):
    line = Line(Room(1), Room(1), clock)
    line.join("sur le banc", LOOP, Counter({LOOP: 1}))
    line.join("prié de revenir", LOOP, Counter({LOOP: 1}))
    line.leave(["sur le banc"])
    clock.now += 1 + LATE_SECONDS
    assert line.join("un autre", ELSEWHERE, Counter({LOOP: 1})) is None
    assert names(line.plan(Counter({LOOP: 1}))[1]) == ["un autre"]


def test_a_browser_that_insists_keeps_its_only_place(clock):
    line = Line(Room(1), Room(1), clock)
    line.join("sur le banc", BROWSER, Counter({BROWSER: 1}))
    for _ in range(20):
        assert line.join("prié de revenir", BROWSER, Counter({BROWSER: 1}))
    assert len(line.plan(Counter({BROWSER: 1}))[1]) == 2


def test_two_hundred_browsers_are_served_alike(clock):
    """Une salle de deux cents, dont les quatre cinquièmes sont priés de revenir : chacun son tour."""
    line, served = Line(Room(8), Room(32), clock), Counter()
    due = {number: 0.0 for number in range(200)}
    for _ in range(1000):
        clock.now += 0.1
        for number, when in due.items():
            if when <= clock.now:
                retry_after = line.join(number, Visitor("10.0.0.1", f"cookie {number}"), Counter({LOOP: 7}))
                due[number] = float("inf") if retry_after is None else clock.now + retry_after
        for turn in line.plan(Counter({LOOP: 7}))[0][:1]:    # une place se libère dix fois par seconde
            line.leave([turn.reader])
            served[turn.reader] += 1
            due[turn.reader] = clock.now + 0.1
    amounts = [served[number] for number in range(200)]
    assert min(amounts) > 0
    assert sum(amounts) ** 2 / (200 * sum(amount ** 2 for amount in amounts)) > 0.95
