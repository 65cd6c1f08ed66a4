// One connection: what it may send, what it follows, when it is pinged and when it is closed.
// Strand-bound; owned by its connection in edge/ws. Once closing() it hears nothing, and leaves
// what it follows with the hub's next flush.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "common/base/token_bucket.h"
#include "common/base/trace_context.h"
#include "edge/fanout/client_tokens.h"
#include "edge/fanout/link.h"
#include "edge/fanout/outbox.h"
#include "edge/fanout/retry_turns.h"
#include "edge/fanout/subscription.h"
#include "edge/fanout/token_gate.h"
#include "edge/fanout/tracer.h"
#include "edge/fanout/wheel.h"
#include "edge/protocol/close_code.h"
#include "edge/protocol/commands.h"
#include "edge/protocol/frame.h"

namespace seatlock::edge {

class Hub;

class Client final {
 public:
  // Client::Enter alone changes it, and only ever goes on.
  //
  //                                    Close(), a peer's       the close   cut off (shed,  Gone()
  //                                    close or breach         is out      dead, too late)
  //  kOpen      follows showtimes      close frame: kClosing   -           kFinished       kGone
  //  kClosing   writes what waits      -                       kFinished   kFinished       kGone
  //  kFinished  writes no more, waits  -                       -           -               kGone
  //             until the peer leaves
  //  kGone      its link is not touched again
  enum class Phase : uint8_t { kOpen, kClosing, kFinished, kGone };

  // `batch`: it chose seatlock.v1.batch. `trace`: its upgrade's; null: nobody wants to hear of it.
  // `tokens` stand where the hub has a gate for them. `hub` and `link` outlive it, up to Gone().
  Client(Hub& hub, Link& link, bool batch, std::unique_ptr<const base::TraceContext> trace = {},
         std::unique_ptr<ClientTokens> tokens = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Joins the hub and greets; once, after construction.
  void Start();

  // --- from the wire ---
  // A text message came, whole and good UTF-8.
  void OnText(std::string_view text);
  void OnPing(std::string_view payload);
  void OnPong();
  // A part of a message came, in so many frames that it counts as a message of its own.
  void OnFragments();
  // The peer closes (RFC 6455, 5.5.1); `code` 0 where it gave none.
  void OnPeerClose(uint16_t code);
  // The peer broke the protocol.
  void OnBreach(CloseCode code);
  // The socket has room again.
  void OnWritable();
  // The connection is gone, whoever closed it.
  void Gone();

  // --- from rooms and the hub ---
  // Queues a frame; it goes out with the hub's next flush.
  void Send(Frame frame);
  void Close(CloseCode code, std::string_view reason);
  bool closing() const { return phase_ != Phase::kOpen; }
  // A subscription is over: says so with `frame`, and leaves the room. Invalidates `subscription`.
  void End(Subscription& subscription, const Frame& frame);
  // `subscribed` was said, with what it begins at.
  void Subscribed(std::string_view showtime_id, uint64_t revision, bool recovered);
  // A subscribe was answered with so many bytes, which count against kBoughtBytesRate.
  void Buy(size_t bytes);
  // The showtime of a subscription was refused before anything of it was known: what opening it
  // cost the connection and its address is theirs again. No-op if it cost nothing.
  void GiveBackNewShowtime(Subscription& subscription);
  // Writes what waits, until nothing does or the socket is full.
  void Flush();
  // Leaves everything once it is closing. Not while a room goes through its subscribers.
  void LeaveIfClosing() {
    if (closing()) LeaveAll();
  }
  // It takes too little while memory is short: cut off, if it holds any back.
  bool Shed();
  // Looks at what has fallen due.
  void OnDue(int64_t now_ms);

  bool blocked() const { return blocked_since_ms_ != kNotBlocked; }
  int64_t blocked_since_ms() const { return blocked_since_ms_; }

  WheelPlace wheel_place;     // The hub's wheel's.
  uint32_t hub_index = 0;     // The hub's: in its list.
  uint32_t flush_number = 0;  // The hub's: in its queue of who has to be flushed, if
  bool flush_queued = false;  // it is there.

 private:
  static constexpr int64_t kNotBlocked = -1;

  void Handle(const SubscribeCommand& command);
  void Handle(const UnsubscribeCommand& command);
  void Handle(const PingCommand& command);
  void Handle(const CommandError& error);
  // Whose subscription it is. None: it was refused, or it refreshed a token, and all is said.
  std::optional<TokenGate::Pass> PassGate(const SubscribeCommand& command, size_t index);
  // What is followed, if `index` is that, goes on by a later token of the same session.
  bool Refresh(const TokenGate::Pass& pass, size_t index);
  bool MayTalk();
  // Why a subscribe is refused, if it is. Takes what it costs if it is not; `opens`: it opens a
  // showtime that the edge does not follow.
  std::optional<CommandError> Refuse(const SubscribeCommand& command, bool follows_already,
                                     bool opens);
  // Takes one new showtime of the connection and one of its address, or none of either. 0: taken;
  // else as Link::TakeNewShowtime().
  int64_t TakeNewShowtime(int64_t now_ms);
  void BeginClose(uint16_t code, std::string_view reason, bool drop_waiting);
  void WriteWhatWaits();
  void CountHeld();
  bool HoldsAny() const;
  void SetBlocked(bool blocked);
  // Notes which rooms' histories have passed it by, and since when that is so.
  void CheckPassedBy();
  // Whether it has been too slow for too long.
  bool LagsTooLong(int64_t now_ms);
  int64_t NextDueMs(int64_t now_ms) const;
  // Until the first of its tokens ends, a minute at most; kNone: it has none.
  int64_t TokenLeftMs() const;
  void PingOrHeartbeat(int64_t now_ms);
  // Has it looked at when that is next due.
  void PutOnWheel();
  void Enter(Phase phase);
  // Where it is in `subscriptions_`; their number if it is not followed.
  size_t IndexOf(std::string_view showtime_id) const;
  void Leave(size_t index);
  void LeaveAll();

  Hub& hub_;
  Link& link_;
  // Null: nobody wants to hear of it.
  const std::unique_ptr<const ClientTrace> trace_;
  // Null: tokens are not looked at.
  const std::unique_ptr<ClientTokens> tokens_;
  Outbox outbox_;
  absl::InlinedVector<std::unique_ptr<Subscription>, 1> subscriptions_;
  const void* held_ = nullptr;       // What was half sent, as the hub knows it.
  int64_t held_reply_bytes_ = 0;     // As the budget knows it.
  base::TokenBucket messages_;       // kMessageRate
  base::TokenBucket new_showtimes_;  // kNewShowtimeRate
  base::TokenBucket bought_bytes_;   // kBoughtBytesRate
  RetryTurns retry_turns_;           // Of the subscribes that were refused for a rate.
  int64_t since_ms_;                 // Of the connection; of the close once closing.
  int64_t last_heard_ms_;
  int64_t last_sent_ms_;
  int64_t last_ping_ms_;
  int64_t blocked_since_ms_ = kNotBlocked;
  int64_t lagging_since_ms_ = kNotBlocked;  // Since it was too slow for a room's history.
  Phase phase_ = Phase::kOpen;
  int8_t bad_messages_ = 0;
  const bool batch_;
  bool ever_subscribed_ = false;  // Or tried to.
  bool wants_heartbeat_ = false;
  bool rate_warned_ = false;
};

}  // namespace seatlock::edge
