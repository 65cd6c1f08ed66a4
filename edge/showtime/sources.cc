#include "edge/showtime/sources.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {

void Sources::Open(const std::string& showtime_id, std::shared_ptr<SourceListener> listener) {
  Slot* slot = Find(showtime_id);
  if (slot == nullptr) {
    if (auto refused = refusals_.Of(showtime_id, env_.clock.MonotonicMs())) {
      listener->Hear(*std::move(refused));
      return;
    }
    if (!MakePlace()) {
      listener->Hear(FeedRefused{"the edge follows too many showtimes", kRefusedRetryMs});
      return;
    }
    slot = &Make(showtime_id);
  }
  slot->linger = kInUse;
  lingering_.erase(showtime_id);
  slot->source->Add(listener.get());
  const SourceListener* key = listener.get();
  listening_.emplace(key, Listening{std::move(listener), slot->source});
}

void Sources::Close(const SourceListener* listener) {
  const auto found = listening_.find(listener);
  if (found == listening_.end()) return;
  const Listening gone = std::move(found->second);
  listening_.erase(found);
  gone.source->Remove(gone.listener.get());
  if (gone.source->listeners().empty()) {
    const std::string& showtime_id = gone.source->showtime_id();
    Slot* slot = Find(showtime_id);
    if (slot == nullptr || slot->source != gone.source) return;
    if (gone.source->unsold()) {
      Drop(showtime_id);
    } else {
      Linger(showtime_id, *slot);
    }
  }
}

void Sources::Resume(const SourceListener* listener, const Position& position) {
  const auto found = listening_.find(listener);
  if (found == listening_.end()) return;
  found->second.source->Resume(found->second.listener.get(), position);
}

// ---- Slots -------------------------------------------------------------------------------------

Sources::Slot* Sources::Find(const std::string& showtime_id) {
  const auto found = slots_.find(showtime_id);
  return found == slots_.end() ? nullptr : &found->second;
}

bool Sources::MakePlace() {
  if (slots_.size() < kRoomsMax) return true;
  if (lingering_.empty()) return false;
  Drop(std::string(*lingering_.begin()));
  return true;
}

Sources::Slot& Sources::Make(const std::string& showtime_id) {
  Slot& slot = slots_[showtime_id];
  slot.source = std::make_shared<Source>(
      env_, turns_, showtime_id,
      [this, showtime_id](const Refusal& refusal) { OnRefused(showtime_id, refusal); });
  followed_->Add(showtime_id);
  slot.source->Start();
  return slot;
}

void Sources::Drop(const std::string& showtime_id) {
  lingering_.erase(showtime_id);
  followed_->Remove(showtime_id);
  slots_.erase(showtime_id);
}

void Sources::Linger(const std::string& showtime_id, Slot& slot) {
  slot.linger = ++lingers_;
  lingering_.insert(showtime_id);
  env_.timers.After(kRoomLingerMs, [weak = handle(), showtime_id, number = slot.linger] {
    if (const auto self = weak.lock()) (*self)->EndLinger(showtime_id, number);
  });
}

void Sources::EndLinger(const std::string& showtime_id, uint64_t number) {
  const Slot* slot = Find(showtime_id);
  if (slot == nullptr || slot->linger != number || !slot->source->listeners().empty()) return;
  Drop(showtime_id);
}

// The source has told its listeners. It calls this last, and lives as long as its caller needs it.
void Sources::OnRefused(const std::string& showtime_id, const Refusal& refusal) {
  const FeedRefused told{refusal.message, refusal.retry_after_ms};
  refusals_.Add(showtime_id, told, env_.clock.MonotonicMs());
  const Slot* slot = Find(showtime_id);
  if (slot == nullptr) return;
  for (const SourceListener* listener : slot->source->listeners()) listening_.erase(listener);
  Drop(showtime_id);
}

}  // namespace seatlock::edge
