// The wire to one client, as the core sees it; edge/ws implements it. Strand-bound. None of these
// calls back into the core before it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace seatlock::edge {

// One text frame's bytes, encoded once however many clients get them. Immutable.
using Frame = std::shared_ptr<const std::string>;

class Link {
 public:
  virtual ~Link() = default;

  // Queues one text message.
  virtual void Send(Frame frame) = 0;
  // Bytes queued and not yet being written.
  virtual size_t QueuedBytes() const = 0;
  // How many messages the socket has taken whole, since the start.
  virtual uint64_t MessagesWritten() const = 0;
  virtual void Ping() = 0;
  // Sends a close frame: after what is queued, or in its place with `drop_queue`.
  virtual void Close(uint16_t code, std::string_view reason, bool drop_queue) = 0;
  // Cuts the connection with no goodbye.
  virtual void Drop() = 0;
};

// Where a room's frames go. Implementations must not leave the room inside Send().
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual void Send(Frame frame) = 0;
};

}  // namespace seatlock::edge
