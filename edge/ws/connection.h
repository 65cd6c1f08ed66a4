// One browser's WebSocket after its upgrade, as small as it can be: a socket, the Client whose
// rules it keeps, and a parser only while a message is half there. It has no buffers and no timer:
// what comes is read into its thread's buffer, and what goes is taken from what all share. Keeps
// itself alive while the peer is there. Strand-bound.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "edge/fanout/client.h"
#include "edge/fanout/link.h"
#include "edge/ws/frame_parser.h"
#include "edge/ws/server_context.h"

namespace seatlock::edge {

class Connection final : public Link,
                         private FrameEvents,
                         public std::enable_shared_from_this<Connection> {
 public:
  // `socket` does not block. `trace` and `tokens` as Client's.
  Connection(Socket socket, Admission::Place place, ServerContext& context, bool batch,
             std::unique_ptr<const base::TraceContext> trace = {},
             std::unique_ptr<ClientTokens> tokens = {});

  // Greets and talks until the connection ends. `early` came behind the request. Once.
  void Start(std::span<char> early);

  size_t Write(std::span<const std::string_view> pieces) override;
  void Finish() override;
  void Drop() override;
  int64_t TakeNewShowtime() override {
    return place_.TakeNewShowtime(context_.clock.MonotonicMs());
  }
  void GiveBackNewShowtime() override { place_.GiveBackNewShowtime(); }

 private:
  void OnText(std::string_view message) override { client_.OnText(message); }
  void OnPing(std::string_view payload) override { client_.OnPing(payload); }
  void OnPong() override { client_.OnPong(); }
  void OnFragments() override { client_.OnFragments(); }
  void OnPeerClose(uint16_t code) override;

  void WaitToRead();
  // Reads what is there, as much as one turn may; false at the end of the connection.
  bool Read();
  void OnBytes(std::span<char> bytes);
  void WaitToWrite();
  void Break();

  Socket socket_;
  ServerContext& context_;
  const Admission::Place place_;
  std::unique_ptr<FrameParser> parser_;  // Null between messages.
  bool deaf_ = false;                    // What comes is forgotten.
  bool broken_ = false;                  // What is to be written is forgotten.
  bool waits_to_write_ = false;
  Client client_;  // Last: it may write until it is gone.
};

}  // namespace seatlock::edge
