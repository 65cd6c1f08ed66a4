#include "edge/core/client.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/random.h"
#include "edge/core/frames.h"
#include "edge/core/limits.h"

namespace seatlock::edge {
namespace {

constexpr int64_t kMilli = 1000;
constexpr size_t kConnectionIdBytes = 16;

}  // namespace

Client::Client(const Env& env, Rooms& rooms, Link& link, bool batch)
    : env_(env),
      rooms_(rooms),
      batch_(batch),
      since_ms_(env.clock.MonotonicMs()),
      link_(&link),
      tokens_milli_(kMessageBurst * kMilli),
      tokens_at_ms_(since_ms_),
      last_heard_ms_(since_ms_),
      last_sent_ms_(since_ms_),
      last_ping_ms_(since_ms_),
      moved_ms_(since_ms_) {
  ++env_.stats.connections;
  ++env_.stats.connections_total;
}

Client::~Client() {
  LeaveAll();
  --env_.stats.connections;
}

void Client::Start() {
  Send(ConnectionEstablishedFrame(base::RandomHex(kConnectionIdBytes), env_.clock.NowMs()));
}

void Client::OnText(std::string_view text) {
  if (closing_) return;
  OnHeard();
  if (!MayTalk()) return;
  std::visit([this](const auto& command) { Handle(command); }, ParseCommand(text));
}

// A token bucket: one warning when it is empty, the end with the next message.
bool Client::MayTalk() {
  const int64_t now_ms = env_.clock.MonotonicMs();
  tokens_milli_ = std::min(kMessageBurst * kMilli,
                           tokens_milli_ + (now_ms - tokens_at_ms_) * kMessagesPerSecond);
  tokens_at_ms_ = now_ms;
  if (tokens_milli_ == kMessageBurst * kMilli) rate_warned_ = false;
  if (tokens_milli_ >= kMilli) {
    tokens_milli_ -= kMilli;
    return true;
  }
  if (rate_warned_) {
    Close(CloseCode::kRate, "too many messages");
  } else {
    rate_warned_ = true;
    Send(ErrorFrame({ErrorCode::kRateLimited, "too many messages", {}}));
  }
  return false;
}

void Client::Handle(const SubscribeCommand& command) {
  const bool again = rooms_followed_.contains(command.showtime_id);
  if (!again && rooms_followed_.size() >= kSubscriptionsMax) {
    Send(ErrorFrame({ErrorCode::kTooManySubscriptions, "at most 64 showtimes a connection",
                     command.showtime_id}));
    return;
  }
  const std::shared_ptr<Room> room = rooms_.Get(command.showtime_id);
  if (!room) {
    Close(CloseCode::kOverloaded, "too many showtimes");
    return;
  }
  ever_subscribed_ = true;
  wants_heartbeat_ = wants_heartbeat_ || command.heartbeat;
  rooms_followed_[command.showtime_id] = room;
  room->Subscribe(this, {command.session_id, command.resume, batch_});
}

void Client::Handle(const UnsubscribeCommand& command) {
  const int64_t now_ms = env_.clock.NowMs();
  if (command.showtime_id) {
    const auto found = rooms_followed_.find(*command.showtime_id);
    if (found != rooms_followed_.end()) {
      Leave(found->first, *found->second);
      rooms_followed_.erase(found);
    }
    Send(UnsubscribedFrame(command.showtime_id, now_ms));
    return;
  }
  if (rooms_followed_.empty()) Send(UnsubscribedFrame({}, now_ms));
  for (const auto& [showtime_id, room] : rooms_followed_) {
    Send(UnsubscribedFrame(showtime_id, now_ms));
  }
  LeaveAll();
}

void Client::Handle(const PingCommand&) {
  Send(PongFrame(env_.clock.NowMs()));
}

void Client::Handle(const CommandError& error) {
  ++env_.stats.bad_messages_total;
  Send(ErrorFrame(error));
  if (error.code == ErrorCode::kUnknownType) return;
  if (++bad_messages_ >= kBadMessagesMax) Close(CloseCode::kBadMessages, "bad messages");
}

void Client::OnTick() {
  if (closing_) return;
  const int64_t now_ms = env_.clock.MonotonicMs();
  if (now_ms - last_heard_ms_ >= kPeerSilentMsMax) {
    ++env_.stats.dead_peers_total;
    closing_ = true;
    LeaveAll();
    link_->Drop();
    return;
  }
  if (TooSlow()) {
    Close(CloseCode::kTooSlow, "too slow");
    return;
  }
  if (!ever_subscribed_ && now_ms - since_ms_ >= kFirstSubscribeMsMax) {
    Close(CloseCode::kNoSubscribe, "no subscribe");
    return;
  }
  if (now_ms - last_ping_ms_ >= kPingEveryMs) {
    last_ping_ms_ = now_ms;
    link_->Ping();
  }
  if (wants_heartbeat_ && now_ms - last_sent_ms_ > kHeartbeatEveryMs - kTickMs) {
    Send(HeartbeatFrame(env_.clock.NowMs()));
  }
}

void Client::Gone() {
  closing_ = true;
  link_ = nullptr;
  LeaveAll();
}

// Much waiting is not slowness: it has to wait for some time without being taken.
bool Client::TooSlow() {
  const size_t queued = link_->QueuedBytes();
  if (queued > kQueueBytesHardMax) return true;
  const int64_t now_ms = env_.clock.MonotonicMs();
  const uint64_t written = link_->MessagesWritten();
  if (queued <= kQueueBytesMax || written != messages_written_) {
    messages_written_ = written;
    moved_ms_ = now_ms;
  }
  return now_ms - moved_ms_ >= kStalledMsMax;
}

void Client::Send(Frame frame) {
  if (closing_) return;
  if (TooSlow()) {
    Close(CloseCode::kTooSlow, "too slow");
    return;
  }
  ++env_.stats.frames_sent_total;
  env_.stats.frame_bytes_total += static_cast<int64_t>(frame->size());
  last_sent_ms_ = env_.clock.MonotonicMs();
  link_->Send(std::move(frame));
}

// May be called while a room goes through its subscribers, so leaving the rooms has to wait.
void Client::Close(CloseCode code, std::string_view reason) {
  if (closing_) return;
  closing_ = true;
  env_.stats.CountClose(code);
  link_->Close(static_cast<uint16_t>(code), reason, code == CloseCode::kTooSlow);
  env_.timers.After(0, [weak = weak_from_this()] {
    if (const std::shared_ptr<Client> self = weak.lock()) self->LeaveAll();
  });
}

void Client::Leave(const std::string& showtime_id, Room& room) {
  room.Unsubscribe(this);
  rooms_.Left(showtime_id);
}

void Client::LeaveAll() {
  for (const auto& [showtime_id, room] : std::exchange(rooms_followed_, {})) {
    Leave(showtime_id, *room);
  }
}

}  // namespace seatlock::edge
