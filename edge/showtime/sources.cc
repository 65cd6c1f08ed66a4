#include "edge/showtime/sources.h"

#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {

void Sources::Open(const std::string& showtime_id, std::shared_ptr<SourceListener> listener) {
  Source* source = Get(showtime_id);
  if (source == nullptr) {
    listener->Hear(FeedRefused{"the edge follows too many showtimes", kRefusedRetryMs});
    return;
  }
  source->Add(listener.get());
  const SourceListener* key = listener.get();
  listening_.emplace(key, Listening{std::move(listener), showtime_id});
}

void Sources::Close(const SourceListener* listener) {
  const auto found = listening_.find(listener);
  if (found == listening_.end()) return;
  const Listening gone = std::move(found->second);
  listening_.erase(found);
  Source& source = *slots_.at(gone.showtime_id).source;
  source.Remove(gone.listener.get());
  if (source.listeners() == 0) Linger(gone.showtime_id);
}

void Sources::Resume(const SourceListener* listener, const Position& position) {
  const auto found = listening_.find(listener);
  if (found == listening_.end()) return;
  slots_.at(found->second.showtime_id).source->Resume(found->second.listener.get(), position);
}

// Null where there are too many.
Source* Sources::Get(const std::string& showtime_id) {
  const auto found = slots_.find(showtime_id);
  if (found != slots_.end()) {
    ++found->second.uses;
    lingering_.erase(showtime_id);
    return found->second.source.get();
  }
  if (slots_.size() >= kRoomsMax) {
    if (lingering_.empty()) return nullptr;
    slots_.erase(*lingering_.begin());
    followed_->Remove(*lingering_.begin());
    lingering_.erase(lingering_.begin());
  }
  auto source = std::make_shared<Source>(env_, turns_, showtime_id);
  slots_[showtime_id].source = source;
  followed_->Add(showtime_id);
  source->Start();
  return source.get();
}

void Sources::Linger(const std::string& showtime_id) {
  lingering_.insert(showtime_id);
  const uint64_t uses = ++slots_.at(showtime_id).uses;
  env_.timers.After(kRoomLingerMs, [weak = handle(), showtime_id, uses] {
    if (const auto self = weak.lock()) (*self)->DropIfUnused(showtime_id, uses);
  });
}

void Sources::DropIfUnused(const std::string& showtime_id, uint64_t uses) {
  const auto found = slots_.find(showtime_id);
  if (found == slots_.end() || found->second.uses != uses) return;
  lingering_.erase(showtime_id);
  followed_->Remove(showtime_id);
  slots_.erase(found);
}

}  // namespace seatlock::edge
