// One connection: what it may send, what it follows, when it is pinged and when it is closed.
// Strand-bound; owned by its connection in edge/ws, which outlives the link's use: after Gone()
// the link is not touched again.
//
// Always holds: once closing() it follows nothing, sends nothing and hears nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "edge/core/close_code.h"
#include "edge/core/commands.h"
#include "edge/core/link.h"
#include "edge/core/rooms.h"

namespace seatlock::edge {

class Client final : public FrameSink, public std::enable_shared_from_this<Client> {
 public:
  // `batch`: the client chose seatlock.v1.batch.
  Client(const Env& env, Rooms& rooms, Link& link, bool batch);
  ~Client() override;

  // Greets the client; once, after construction.
  void Start();

  // A text message came, whole and good UTF-8.
  void OnText(std::string_view text);
  // Anything came, a pong too.
  void OnHeard() { last_heard_ms_ = env_.clock.MonotonicMs(); }
  // Looks at what has fallen due; every kTickMs.
  void OnTick();
  // The connection is gone, whoever closed it.
  void Gone();

  // Sends one frame; closes the connection of a reader that is too slow.
  void Send(Frame frame) override;
  void Close(CloseCode code, std::string_view reason);
  bool closing() const { return closing_; }

 private:
  void Handle(const SubscribeCommand& command);
  void Handle(const UnsubscribeCommand& command);
  void Handle(const PingCommand& command);
  void Handle(const CommandError& error);
  bool MayTalk();
  bool TooSlow();
  void Leave(const std::string& showtime_id, Room& room);
  void LeaveAll();

  const Env env_;
  Rooms& rooms_;
  const bool batch_;
  const int64_t since_ms_;
  Link* link_;
  bool closing_ = false;
  bool ever_subscribed_ = false;
  bool wants_heartbeat_ = false;
  bool rate_warned_ = false;
  int bad_messages_ = 0;
  int64_t tokens_milli_;  // Thousandths of a message that it may send.
  int64_t tokens_at_ms_;
  int64_t last_heard_ms_;
  int64_t last_sent_ms_;
  int64_t last_ping_ms_;
  int64_t moved_ms_;               // When the link last took something, or had little waiting.
  uint64_t messages_written_ = 0;  // As of then.
  absl::flat_hash_map<std::string, std::shared_ptr<Room>> rooms_followed_;
};

}  // namespace seatlock::edge
