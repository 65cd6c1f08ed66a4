#include "edge/fanout/outbox.h"

#include <algorithm>
#include <utility>

#include "edge/fanout/room.h"
#include "edge/limits.h"

namespace seatlock::edge {
namespace {

// What comes next of one subscription, and its place in the order.
Room::Next NextOf(const Subscription& subscription) {
  return subscription.room.NextFor(subscription, subscription.next_snapshot,
                                   subscription.next_revision);
}

// A short reply costs its places in the queue and on the heap more than its bytes.
size_t ReplyBytes(const Frame& frame) {
  constexpr size_t kPlacesBytes = 128;
  return frame.wire().size() + kPlacesBytes;
}

}  // namespace

void Outbox::Push(Frame frame, uint64_t order) {
  if (!waiting_) waiting_ = std::make_unique<Waiting>();
  reply_bytes_ += ReplyBytes(frame);
  waiting_->replies.push_back({std::move(frame), order});
}

void Outbox::Clear() {
  reply_bytes_ = 0;
  if (!waiting_) return;
  waiting_->replies.clear();
  FreeIfEmpty();
}

void Outbox::FreeIfEmpty() {
  if (waiting_ && waiting_->replies.empty() && waiting_->half.pieces.empty()) waiting_.reset();
}

bool Outbox::Gather(Subscriptions subscriptions, Gathering* gathering) const {
  gathering->pieces.clear();
  gathering->units.clear();
  gathering->bytes = 0;
  for (const auto& subscription : subscriptions) {
    subscription->next_revision = subscription->revision;
    subscription->next_snapshot = subscription->snapshot_due();
  }
  GatherHalf(gathering);
  size_t replies = 0;
  while (gathering->pieces.size() < kGatherPiecesMax && gathering->bytes < kGatherBytesMax) {
    Subscription* first = nullptr;
    Room::Next next;
    for (const auto& subscription : subscriptions) {
      const Room::Next candidate = NextOf(*subscription);
      if (candidate.order < next.order) {
        next = candidate;
        first = subscription.get();
      }
    }
    const bool reply = waiting_ && replies < waiting_->replies.size() &&
                       waiting_->replies[replies].order < next.order;
    if (reply) {
      GatherFrame(waiting_->replies[replies++].frame, nullptr, gathering);
    } else if (first == nullptr) {
      break;
    } else if (next.entry == nullptr) {
      GatherFrame(first->room.Snapshot(), first, gathering);
      first->next_snapshot = false;
      first->next_revision = first->room.revision();
    } else if (!GatherEntry(*next.entry, *first, gathering)) {
      break;
    }
  }
  return !gathering->units.empty();
}

void Outbox::GatherHalf(Gathering* gathering) const {
  if (!waiting_ || waiting_->half.pieces.empty()) return;
  for (const std::string_view piece : waiting_->half.pieces) {
    gathering->pieces.push_back(piece);
    gathering->bytes += piece.size();
  }
  gathering->units.push_back({.pieces_end = gathering->pieces.size(), .half = true});
}

void Outbox::GatherFrame(const Frame& frame, Subscription* subscription, Gathering* gathering) {
  gathering->pieces.push_back(frame.wire());
  gathering->bytes += frame.wire().size();
  gathering->units.push_back({.frame = frame,
                              .subscription = subscription,
                              .revision = subscription ? subscription->room.revision() : 0,
                              .pieces_end = gathering->pieces.size()});
}

// An entry goes whole into one call, unless it is alone too long for one.
bool Outbox::GatherEntry(const EntryPtr& entry, Subscription& subscription, Gathering* gathering) {
  const size_t before = gathering->pieces.size();
  const size_t bytes_before = gathering->bytes;
  entry->ForSession(subscription.session_id, [gathering](std::string_view piece) {
    gathering->pieces.push_back(piece);
    gathering->bytes += piece.size();
  });
  if (before > 0 && gathering->pieces.size() > kGatherPiecesMax) {
    gathering->pieces.resize(before);
    gathering->bytes = bytes_before;
    return false;
  }
  subscription.next_revision = entry->revision();
  gathering->units.push_back({.entry = &entry,
                              .subscription = &subscription,
                              .revision = entry->revision(),
                              .pieces_end = gathering->pieces.size()});
  return true;
}

Outbox::Sent Outbox::Take(const Gathering& gathering, size_t bytes) {
  Sent sent;
  size_t piece = 0;
  for (const Gathering::Unit& unit : gathering.units) {
    const size_t first = piece;
    size_t size = 0;
    for (; piece < unit.pieces_end; ++piece) size += gathering.pieces[piece].size();
    if (size <= bytes) {
      bytes -= size;
      Done(unit, &sent);
      continue;
    }
    if (bytes > 0) KeepHalf(gathering, unit, first, bytes, &sent);
    break;
  }
  FreeIfEmpty();
  return sent;
}

// A unit was taken whole.
void Outbox::Done(const Gathering::Unit& unit, Sent* sent) {
  if (unit.half) {
    sent->frames += waiting_->half.frames;
    sent->snapshots += waiting_->half.snapshot ? 1 : 0;
    sent->caught_up |= waiting_->half.lagging_snapshot;
    waiting_->half = {};
    return;
  }
  sent->caught_up |= unit.entry == nullptr && unit.subscription && unit.subscription->lagging();
  sent->snapshots += unit.entry == nullptr && unit.subscription ? 1 : 0;
  sent->frames += unit.entry ? (*unit.entry)->frames : unit.frame.is_text() ? 1 : 0;
  Advance(unit, sent);
}

// A unit is on its way: nothing of it is asked for again.
void Outbox::Advance(const Gathering::Unit& unit, Sent* sent) {
  if (unit.subscription == nullptr) {
    reply_bytes_ -= ReplyBytes(unit.frame);
    waiting_->replies.pop_front();
    return;
  }
  Subscription& subscription = *unit.subscription;
  subscription.revision = unit.revision;
  if (unit.entry == nullptr) {
    const auto due = std::exchange(subscription.snapshot, Subscription::SnapshotDue::kNo);
    if (due == Subscription::SnapshotDue::kBought) sent->bought_bytes += unit.frame.wire().size();
  }
  // It may be long, and a quiet room would keep it alive for as long as it is quiet.
  if (subscription.missed && subscription.revision >= subscription.missed->back()->revision()) {
    subscription.missed.reset();
  }
}

void Outbox::KeepHalf(const Gathering& gathering, const Gathering::Unit& unit, size_t piece,
                      size_t taken, Sent* sent) {
  if (!waiting_) waiting_ = std::make_unique<Waiting>();
  Half half;
  if (unit.half) {
    half = std::move(waiting_->half);
    half.pieces.clear();
  } else {
    half.owner = unit.entry ? std::shared_ptr<const void>(*unit.entry) : unit.frame.owner();
    half.owner_bytes = unit.entry ? (*unit.entry)->bytes() : unit.frame.wire().size();
    half.frames = unit.entry ? (*unit.entry)->frames : unit.frame.is_text() ? 1 : 0;
    half.snapshot = unit.entry == nullptr && unit.subscription;
    half.lagging_snapshot = half.snapshot && unit.subscription->lagging();
  }
  for (; piece < unit.pieces_end; ++piece) {
    const std::string_view bytes = gathering.pieces[piece];
    const size_t gone = std::min(taken, bytes.size());
    taken -= gone;
    if (gone < bytes.size()) half.pieces.push_back(bytes.substr(gone));
  }
  if (!unit.half) Advance(unit, sent);
  waiting_->half = std::move(half);
}

}  // namespace seatlock::edge
