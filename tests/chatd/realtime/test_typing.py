"""Who is writing, until they stop, send, leave or fall silent: on a clock that is only a number."""

from __future__ import annotations

from chatd.realtime.typing import Typists
from protocol.events import MemberRemoved, MessageCreated, Typing
from protocol.ids import Ref
from tests.protocol.dialects.samples import ANN, BOB, MESSAGE

ROOM = MESSAGE.conversation


def desk() -> tuple[Typists, list[Typing]]:
    told: list[Typing] = []
    return Typists(8.0, told.append), told


def ended(user: Ref) -> Typing:
    return Typing(ROOM, user, False)


def test_it_ends_by_itself_after_eight_seconds_of_silence() -> None:
    typists, told = desk()
    typists.heard(Typing(ROOM, ANN.ref, True), 0.0)
    typists.heard(Typing(ROOM, BOB.ref, True), 3.0)
    typists.heard(Typing(ROOM, ANN.ref, True), 6.0)
    typists.sweep(10.9)
    assert told == []
    typists.sweep(11.0)
    assert told == [ended(BOB.ref)]
    typists.sweep(14.0)
    typists.sweep(99.0)
    assert told == [ended(BOB.ref), ended(ANN.ref)]


def test_another_time_counts_for_those_who_write_now() -> None:
    typists, told = desk()
    typists.heard(Typing(ROOM, ANN.ref, True), 0.0)
    typists.expire = 2.0
    typists.heard(Typing(ROOM, BOB.ref, True), 1.0)
    typists.sweep(2.5)
    assert told == [ended(ANN.ref)]
    typists.sweep(3.5)
    assert told == [ended(ANN.ref), ended(BOB.ref)]


def test_it_ends_with_the_message_and_with_the_last_socket() -> None:
    typists, told = desk()
    typists.heard(Typing(ROOM, ANN.ref, True), 0.0)
    typists.follows[MessageCreated](MessageCreated(MESSAGE))
    assert told == [ended(ANN.ref)]
    typists.heard(Typing(ROOM, ANN.ref, True), 1.0)
    typists.left(BOB.ref.number)
    typists.left(ANN.ref.number)
    typists.sweep(99.0)
    assert told == [ended(ANN.ref)] * 2


def test_whoever_stopped_or_was_removed_is_not_told_of_again() -> None:
    typists, told = desk()
    typists.heard(Typing(ROOM, ANN.ref, True), 0.0)
    typists.heard(Typing(ROOM, ANN.ref, False), 1.0)
    typists.heard(Typing(ROOM, BOB.ref, True), 1.0)
    typists.follows[MemberRemoved](MemberRemoved(ROOM, BOB.ref))
    typists.sweep(99.0)
    assert told == []
