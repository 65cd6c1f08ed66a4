#include "edge/fanout/client.h"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>

#include "common/base/random.h"
#include "edge/fanout/hub.h"
#include "edge/fanout/room.h"
#include "edge/limits.h"
#include "edge/protocol/frames.h"

namespace seatlock::edge {
namespace {

std::string NewConnectionId() {
  constexpr size_t kBytes = 16;
  return base::RandomHex(kBytes);
}

}  // namespace

Client::Client(Hub& hub, Link& link, bool batch, std::unique_ptr<const base::TraceContext> trace,
               std::unique_ptr<ClientTokens> tokens)
    : hub_(hub),
      link_(link),
      trace_(trace == nullptr ? nullptr : new ClientTrace{*trace, NewConnectionId()}),
      tokens_(std::move(tokens)),
      since_ms_(hub.env().clock.MonotonicMs()),
      last_heard_ms_(since_ms_),
      last_sent_ms_(since_ms_),
      last_ping_ms_(since_ms_),
      batch_(batch) {}

Client::~Client() {
  Gone();
}

void Client::Start() {
  hub_.Add(*this);
  PutOnWheel();
  const std::string id = trace_ ? trace_->connection_id : NewConnectionId();
  if (trace_) hub_.env().tracer->OnConnected(*trace_);
  Send(ConnectionEstablishedFrame(id, hub_.env().clock.NowMs()));
  if (hub_.draining()) Close(CloseCode::kDraining, "draining");
}

void Client::Gone() {
  if (phase_ == Phase::kGone) return;
  Enter(Phase::kGone);
  LeaveAll();
  outbox_ = {};
  CountHeld();
  SetBlocked(false);
  hub_.Remove(*this);
}

void Client::Enter(Phase phase) {
  if (phase_ == Phase::kOpen) since_ms_ = hub_.env().clock.MonotonicMs();
  phase_ = phase;
}

// ---- From the wire -----------------------------------------------------------------------------

void Client::OnText(std::string_view text) {
  if (closing() || !MayTalk()) return;
  std::visit([this](const auto& command) { Handle(command); }, ParseCommand(text));
}

void Client::OnPing(std::string_view payload) {
  if (closing() || !MayTalk()) return;
  Send(Frame::Pong(payload));
}

void Client::OnPong() {
  if (!closing()) MayTalk();
}

void Client::OnFragments() {
  if (!closing()) MayTalk();
}

void Client::OnPeerClose(uint16_t code) {
  if (!closing()) BeginClose(code, {}, false);
}

void Client::OnBreach(CloseCode code) {
  Close(code, "protocol error");
}

void Client::OnWritable() {
  SetBlocked(false);
  Flush();
}

// One warning when there is no message left, the end with the next one.
bool Client::MayTalk() {
  const int64_t now_ms = hub_.env().clock.MonotonicMs();
  last_heard_ms_ = now_ms;
  if (messages_.Full(now_ms)) rate_warned_ = false;
  if (messages_.Take(kMessageRate, now_ms) == 0) return true;
  if (rate_warned_) {
    Close(CloseCode::kRate, "too many messages");
  } else {
    rate_warned_ = true;
    Send(ErrorFrame({ErrorCode::kRateLimited, "too many messages", {}}));
  }
  return false;
}

void Client::Handle(const SubscribeCommand& command) {
  // Also of one that is refused: its page waits to try again, and looks for heartbeats meanwhile.
  ever_subscribed_ = true;
  if (command.heartbeat && !std::exchange(wants_heartbeat_, true)) PutOnWheel();
  const size_t index = IndexOf(command.showtime_id);
  const bool follows_already = index < subscriptions_.size();
  std::optional<TokenGate::Pass> pass = PassGate(command, index);
  if (!pass) return;
  const bool opens =
      !hub_.rooms().Has(command.showtime_id) && !hub_.env().feeds.Follows(command.showtime_id);
  if (const auto refusal = Refuse(command, follows_already, opens)) {
    const Frame frame = ErrorFrame(*refusal);
    if (follows_already) {
      End(*subscriptions_[index], frame);
    } else {
      Send(frame);
    }
    return;
  }
  Room& room = hub_.rooms().Get(command.showtime_id);
  auto fresh = std::make_unique<Subscription>(*this, room);
  fresh->opened = opens || (follows_already && subscriptions_[index]->opened);
  // It joins before the one that it replaces leaves, so that the room stays.
  room.Join(*fresh, {std::move(pass->session_id), command.resume, batch_});
  if (pass->expire_ms != ClientTokens::kNone) {
    tokens_->Put(*fresh, pass->expire_ms);
    PutOnWheel();
  }
  if (follows_already) {
    if (tokens_) tokens_->Forget(*subscriptions_[index]);
    room.Leave(*subscriptions_[index]);
    subscriptions_[index] = std::move(fresh);
  } else {
    subscriptions_.push_back(std::move(fresh));
  }
}

std::optional<TokenGate::Pass> Client::PassGate(const SubscribeCommand& command, size_t index) {
  TokenGate* gate = tokens_ ? hub_.env().tokens : nullptr;
  if (gate == nullptr || (!command.token && !gate->required())) {
    return TokenGate::Pass{command.session_id, ClientTokens::kNone};
  }
  if (!command.token) {
    ++hub_.env().stats.subscribes_token_required_total;
    const Frame frame = ErrorFrame(
        {ErrorCode::kTokenRequired, "a subscribe needs a token here", command.showtime_id});
    if (index < subscriptions_.size()) {
      End(*subscriptions_[index], frame);
    } else {
      Send(frame);
    }
    return std::nullopt;
  }
  auto judged = gate->Judge(*command.token, command.showtime_id, tokens_->origin());
  if (const auto* refusal = std::get_if<TokenGate::Refusal>(&judged)) {
    Close(refusal->code, refusal->reason);
    return std::nullopt;
  }
  auto& pass = std::get<TokenGate::Pass>(judged);
  if (Refresh(pass, index)) return std::nullopt;
  return std::move(pass);
}

bool Client::Refresh(const TokenGate::Pass& pass, size_t index) {
  if (index == subscriptions_.size()) return false;
  const Subscription& subscription = *subscriptions_[index];
  const int64_t end_ms = tokens_->EndOf(subscription);
  if (end_ms == ClientTokens::kNone || pass.expire_ms <= end_ms) return false;
  if (pass.session_id != subscription.session_id) return false;
  tokens_->Put(subscription, pass.expire_ms);
  PutOnWheel();
  return true;
}

std::optional<CommandError> Client::Refuse(const SubscribeCommand& command, bool follows_already,
                                           bool opens) {
  Stats& stats = hub_.env().stats;
  if (!follows_already && subscriptions_.size() >= kSubscriptionsMax) {
    ++stats.subscribes_too_many_total;
    return CommandError{ErrorCode::kTooManySubscriptions, "at most 64 showtimes a connection",
                        command.showtime_id};
  }
  const int64_t now_ms = hub_.env().clock.MonotonicMs();
  const char* message = "this connection's subscribes bring too much";
  int64_t wait_ms = bought_bytes_.WaitMs(kBoughtBytesRate, now_ms, kSubscribeBytes);
  if (wait_ms > 0) {
    constexpr int64_t kApartMs = kSubscribeBytes * kSecondMs / kBoughtBytesRate.per_second;
    wait_ms = retry_turns_.Next(now_ms, wait_ms, kApartMs);
  } else if (opens) {
    message = "too many new showtimes";
    wait_ms = TakeNewShowtime(now_ms);
  }
  if (wait_ms == 0) {
    bought_bytes_.Charge(kBoughtBytesRate, now_ms, kSubscribeBytes);
    return std::nullopt;
  }
  ++stats.subscribes_rate_limited_total;
  return CommandError{ErrorCode::kRateLimited, message, command.showtime_id, wait_ms};
}

int64_t Client::TakeNewShowtime(int64_t now_ms) {
  if (const int64_t wait_ms = new_showtimes_.WaitMs(kNewShowtimeRate, now_ms, 1); wait_ms > 0) {
    return retry_turns_.Next(now_ms, wait_ms, kSecondMs / kNewShowtimeRate.per_second);
  }
  if (const int64_t wait_ms = link_.TakeNewShowtime(); wait_ms > 0) {
    // Its turn is its address's, but its own are apart as well.
    return std::max(wait_ms, retry_turns_.Next(now_ms, 0, kRetryTurnsApartMs));
  }
  new_showtimes_.Charge(kNewShowtimeRate, now_ms, 1);
  return 0;
}

void Client::GiveBackNewShowtime(Subscription& subscription) {
  if (!subscription.opened) return;
  subscription.opened = false;
  new_showtimes_.GiveBack(kNewShowtimeRate);
  link_.GiveBackNewShowtime();
}

void Client::Subscribed(std::string_view showtime_id, uint64_t revision, bool recovered) {
  if (trace_) hub_.env().tracer->OnSubscribed(*trace_, showtime_id, revision, recovered);
}

void Client::Buy(size_t bytes) {
  bought_bytes_.Charge(kBoughtBytesRate, hub_.env().clock.MonotonicMs(),
                       static_cast<int64_t>(bytes));
}

void Client::Handle(const UnsubscribeCommand& command) {
  const int64_t now_ms = hub_.env().clock.NowMs();
  if (!command.showtime_id && subscriptions_.empty()) Send(UnsubscribedFrame({}, now_ms));
  if (command.showtime_id) Send(UnsubscribedFrame(command.showtime_id, now_ms));
  for (size_t i = subscriptions_.size(); i-- > 0;) {
    const std::string showtime_id = subscriptions_[i]->room.showtime_id();
    if (command.showtime_id && *command.showtime_id != showtime_id) continue;
    Leave(i);
    if (!command.showtime_id) Send(UnsubscribedFrame(showtime_id, now_ms));
  }
}

void Client::Handle(const PingCommand&) {
  Send(PongFrame(hub_.env().clock.NowMs()));
}

void Client::Handle(const CommandError& error) {
  ++hub_.env().stats.bad_messages_total;
  Send(ErrorFrame(error));
  if (error.code == ErrorCode::kUnknownType) return;
  if (++bad_messages_ >= kBadMessagesMax) Close(CloseCode::kBadMessages, "bad messages");
}

size_t Client::IndexOf(std::string_view showtime_id) const {
  size_t index = 0;
  while (index < subscriptions_.size() &&
         subscriptions_[index]->room.showtime_id() != showtime_id) {
    ++index;
  }
  return index;
}

void Client::End(Subscription& subscription, const Frame& frame) {
  Send(frame);
  Leave(IndexOf(subscription.room.showtime_id()));
}

void Client::Leave(size_t index) {
  Room& room = subscriptions_[index]->room;
  if (tokens_) tokens_->Forget(*subscriptions_[index]);
  room.Leave(*subscriptions_[index]);
  subscriptions_.erase(subscriptions_.begin() + static_cast<std::ptrdiff_t>(index));
  hub_.rooms().Left(room);
}

void Client::LeaveAll() {
  while (!subscriptions_.empty()) Leave(subscriptions_.size() - 1);
}

// ---- To the wire -------------------------------------------------------------------------------

void Client::Send(Frame frame) {
  if (closing()) return;
  outbox_.Push(std::move(frame), hub_.NextOrder());
  if (outbox_.reply_bytes() > kReplyBytesMax) {
    Close(CloseCode::kTooSlow, "too slow");
    return;
  }
  hub_.FlushSoon(*this);
}

void Client::Close(CloseCode code, std::string_view reason) {
  if (closing()) return;
  hub_.env().stats.CountClose(code);
  BeginClose(static_cast<uint16_t>(code), reason, code == CloseCode::kTooSlow);
}

// May be called while a room goes through its subscribers, so leaving the rooms waits for the
// hub's next flush.
void Client::BeginClose(uint16_t code, std::string_view reason, bool drop_replies) {
  if (drop_replies) outbox_.Clear();
  outbox_.Push(Frame::Close(code, reason), hub_.NextOrder());
  Enter(Phase::kClosing);
  hub_.FlushSoon(*this);
  PutOnWheel();
}

void Client::Flush() {
  if (phase_ >= Phase::kFinished) return;
  if (!blocked()) WriteWhatWaits();
  CountHeld();
  if (phase_ == Phase::kClosing && !blocked()) {
    Enter(Phase::kFinished);
    link_.Finish();
  }
}

void Client::WriteWhatWaits() {
  Gathering& gathering = hub_.gathering();
  if (!closing()) CheckPassedBy();
  // Once closing, rooms are as good as left.
  const Outbox::Subscriptions following =
      closing() ? Outbox::Subscriptions{} : Outbox::Subscriptions{subscriptions_};
  while (outbox_.Gather(following, &gathering)) {
    // A change of many sessions' seats may alone have more pieces than one call takes.
    const std::span<const std::string_view> pieces =
        std::span(gathering.pieces).first(std::min(gathering.pieces.size(), kGatherPiecesMax));
    size_t offered = 0;
    for (const std::string_view piece : pieces) offered += piece.size();
    const size_t written = offered == 0 ? 0 : link_.Write(pieces);
    const Outbox::Sent sent = outbox_.Take(gathering, written);
    Stats& stats = hub_.env().stats;
    stats.frames_sent_total += static_cast<int64_t>(sent.frames);
    stats.frame_bytes_total += static_cast<int64_t>(written);
    stats.snapshots_sent_total += static_cast<int64_t>(sent.snapshots);
    if (sent.bought_bytes > 0) Buy(sent.bought_bytes);
    if (sent.frames > 0) last_sent_ms_ = hub_.env().clock.MonotonicMs();
    if (sent.caught_up) lagging_since_ms_ = kNotBlocked;
    if (written < offered) {
      SetBlocked(true);
      return;
    }
  }
}

// Tells the budget what waits here: replies, and what was half sent, which others may share.
void Client::CountHeld() {
  const auto reply_bytes = static_cast<int64_t>(outbox_.reply_bytes());
  if (reply_bytes != held_reply_bytes_) {
    hub_.env().budget.Add(reply_bytes - held_reply_bytes_);
    held_reply_bytes_ = reply_bytes;
  }
  const void* half = outbox_.half_owner();
  if (half == held_) return;
  hub_.Unhold(std::exchange(held_, half));
  hub_.Hold(held_, outbox_.half_owner_bytes());
}

void Client::SetBlocked(bool now_blocked) {
  if (now_blocked == blocked()) return;
  if (now_blocked) {
    blocked_since_ms_ = hub_.env().clock.MonotonicMs();
    hub_.Blocked(*this);
    PutOnWheel();
  } else {
    hub_.Unblocked(*this);
    blocked_since_ms_ = kNotBlocked;
  }
}

bool Client::HoldsAny() const {
  if (held_ != nullptr || held_reply_bytes_ > 0) return true;
  return std::any_of(subscriptions_.begin(), subscriptions_.end(),
                     [](const auto& subscription) { return subscription->missed != nullptr; });
}

bool Client::Shed() {
  if (phase_ == Phase::kGone || !HoldsAny()) return false;
  if (!closing()) hub_.env().stats.CountClose(CloseCode::kTooSlow);
  ++hub_.env().stats.shed_total;
  Enter(Phase::kFinished);
  outbox_ = {};
  CountHeld();
  for (const auto& subscription : subscriptions_) subscription->missed.reset();
  hub_.FlushSoon(*this);
  link_.Drop();
  return true;
}

// ---- Time --------------------------------------------------------------------------------------

void Client::PutOnWheel() {
  if (phase_ != Phase::kGone) hub_.wheel().Put(*this, NextDueMs(hub_.env().clock.MonotonicMs()));
}

int64_t Client::NextDueMs(int64_t now_ms) const {
  if (closing()) return since_ms_ + kHandshakeMsMax;
  int64_t due_ms = std::min(last_heard_ms_ + kPeerSilentMsMax, last_ping_ms_ + kPingEveryMs);
  if (!ever_subscribed_) due_ms = std::min(due_ms, since_ms_ + kFirstSubscribeMsMax);
  if (wants_heartbeat_) due_ms = std::min(due_ms, last_sent_ms_ + kHeartbeatEveryMs - kTickMs);
  if (blocked()) due_ms = std::min(due_ms, now_ms + kTickMs);
  // By the machine's clock, so it is looked at again whenever the connection is.
  if (const int64_t left_ms = TokenLeftMs(); left_ms != ClientTokens::kNone) {
    due_ms = std::min(due_ms, now_ms + left_ms);
  }
  return due_ms;
}

int64_t Client::TokenLeftMs() const {
  if (!tokens_) return ClientTokens::kNone;
  const int64_t end_ms = tokens_->FirstEnd();
  if (end_ms == ClientTokens::kNone) return end_ms;
  return std::clamp<int64_t>(end_ms - hub_.env().tokens->NowMs(), 0, kPeerSilentMsMax);
}

void Client::OnDue(int64_t now_ms) {
  if (closing()) {
    if (now_ms - since_ms_ >= kHandshakeMsMax) {
      Enter(Phase::kFinished);
      link_.Drop();
      return;
    }
  } else if (now_ms - last_heard_ms_ >= kPeerSilentMsMax) {
    ++hub_.env().stats.dead_peers_total;
    Enter(Phase::kFinished);
    LeaveAll();
    link_.Drop();
    return;
  } else if (TokenLeftMs() == 0) {
    Close(CloseCode::kTokenExpired, "token expired");
  } else if (LagsTooLong(now_ms)) {
    Close(CloseCode::kTooSlow, "too slow");
  } else if (!ever_subscribed_ && now_ms - since_ms_ >= kFirstSubscribeMsMax) {
    Close(CloseCode::kNoSubscribe, "no subscribe");
  } else {
    PingOrHeartbeat(now_ms);
  }
  PutOnWheel();
}

void Client::PingOrHeartbeat(int64_t now_ms) {
  if (now_ms - last_ping_ms_ >= kPingEveryMs) {
    last_ping_ms_ = now_ms;
    // A full socket takes no ping; that the peer answers to none then is found out all the same.
    if (!blocked()) Send(Frame::Ping());
  }
  if (wants_heartbeat_ && !blocked() && now_ms - last_sent_ms_ >= kHeartbeatEveryMs - kTickMs) {
    Send(HeartbeatFrame(hub_.env().clock.NowMs()));
  }
}

bool Client::LagsTooLong(int64_t now_ms) {
  if (!blocked()) {
    lagging_since_ms_ = kNotBlocked;
    return false;
  }
  CheckPassedBy();
  return lagging_since_ms_ != kNotBlocked && now_ms - lagging_since_ms_ >= kLagMsMax;
}

void Client::CheckPassedBy() {
  bool lagging = false;
  for (const auto& subscription : subscriptions_) {
    subscription->room.CheckPassedBy(*subscription);
    lagging = lagging || subscription->lagging();
  }
  if (lagging && lagging_since_ms_ == kNotBlocked) {
    lagging_since_ms_ = hub_.env().clock.MonotonicMs();
  }
}

}  // namespace seatlock::edge
