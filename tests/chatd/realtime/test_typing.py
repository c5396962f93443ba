"""Typing ends when the user stops, sends, leaves or sends no event: on a clock that is a number."""

from __future__ import annotations

from chatd.config.settings import Config, TypingSettings
from chatd.realtime.event_bus import EventBus
from chatd.realtime.typing import TypingTracker
from protocol.events import Event, MemberRemoved, MessageCreated, Typing
from protocol.ids import Ref
from tests.protocol.dialects.samples import ANN, BOB, MESSAGE

ROOM = MESSAGE.conversation


class Tracker(TypingTracker):
    """A tracker with an event bus of its own."""

    def __init__(self) -> None:
        self.published: list[Typing] = []
        self._bus = EventBus()
        super().__init__(Config(), self.published.append, self._bus)

    def follow(self, event: Event) -> None:
        for handler in self._bus.handlers_after[type(event)]:
            handler(event)


def tracker_and_published() -> tuple[Tracker, list[Typing]]:
    tracker = Tracker()
    return tracker, tracker.published


def ended(user: Ref) -> Typing:
    return Typing(ROOM, user, False)


def test_it_ends_by_itself_after_eight_seconds_of_silence() -> None:
    typing_tracker, published = tracker_and_published()
    typing_tracker.typing_changed(Typing(ROOM, ANN.ref, True), 0.0)
    typing_tracker.typing_changed(Typing(ROOM, BOB.ref, True), 3.0)
    typing_tracker.typing_changed(Typing(ROOM, ANN.ref, True), 6.0)
    typing_tracker.sweep(10.9)
    assert published == []
    typing_tracker.sweep(11.0)
    assert published == [ended(BOB.ref)]
    typing_tracker.sweep(14.0)
    typing_tracker.sweep(99.0)
    assert published == [ended(BOB.ref), ended(ANN.ref)]


def test_another_time_counts_for_users_who_type_now() -> None:
    typing_tracker, published = tracker_and_published()
    typing_tracker.typing_changed(Typing(ROOM, ANN.ref, True), 0.0)
    typing_tracker.adopt(Config(typing=TypingSettings(expire=2.0)))
    typing_tracker.typing_changed(Typing(ROOM, BOB.ref, True), 1.0)
    typing_tracker.sweep(2.5)
    assert published == [ended(ANN.ref)]
    typing_tracker.sweep(3.5)
    assert published == [ended(ANN.ref), ended(BOB.ref)]


def test_it_ends_with_the_message_and_with_the_last_socket() -> None:
    typing_tracker, published = tracker_and_published()
    typing_tracker.typing_changed(Typing(ROOM, ANN.ref, True), 0.0)
    typing_tracker.follow(MessageCreated(MESSAGE))
    assert published == [ended(ANN.ref)]
    typing_tracker.typing_changed(Typing(ROOM, ANN.ref, True), 1.0)
    typing_tracker.user_disconnected(BOB.ref.number)
    typing_tracker.user_disconnected(ANN.ref.number)
    typing_tracker.sweep(99.0)
    assert published == [ended(ANN.ref)] * 2


def test_the_typing_of_a_user_who_stopped_or_was_removed_does_not_end_again() -> None:
    typing_tracker, published = tracker_and_published()
    typing_tracker.typing_changed(Typing(ROOM, ANN.ref, True), 0.0)
    typing_tracker.typing_changed(Typing(ROOM, ANN.ref, False), 1.0)
    typing_tracker.typing_changed(Typing(ROOM, BOB.ref, True), 1.0)
    typing_tracker.follow(MemberRemoved(ROOM, BOB.ref))
    typing_tracker.sweep(99.0)
    assert published == []
