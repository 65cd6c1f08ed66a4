// A WebSocket client for tests: every wait has a deadline, every frame that arrived is kept in
// order, and pings are answered while a call below is waiting. Thread-compatible.
//
//   auto client = WsClient::Connect("127.0.0.1", port, {});
//   ASSERT_THAT(client, IsOk());
//   ASSERT_THAT((*client)->SendText(R"({"type":"ping"})"), IsOk());
//   auto frame = (*client)->NextJson();
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seatlock::testing {

struct HttpReply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // Names in lower case.
  std::string body;

  // The value of a header given in lower case; empty where it is missing.
  std::string Header(std::string_view name) const;
};

class WsClient {
 public:
  using Millis = std::chrono::milliseconds;
  static constexpr Millis kPatience{10'000};

  struct Options {
    std::string path = "/ws/seat-updates";
    // As in the request, comma separated: "seatlock.v1.batch, seatlock.v1.json".
    std::string subprotocol;
    std::vector<std::pair<std::string, std::string>> headers;
    // Bytes of the receive buffer (SO_RCVBUF), small to play a slow reader. 0: the system's choice.
    int receive_buffer_bytes = 0;
  };

  // Connects and upgrades. FAILED_PRECONDITION "HTTP 404 ..." where the server refuses the upgrade.
  static absl::StatusOr<std::unique_ptr<WsClient>> Connect(const std::string& host, uint16_t port,
                                                           const Options& options,
                                                           Millis timeout = kPatience);
  // Sends `request` as it stands and reads one HTTP answer.
  static absl::StatusOr<HttpReply> Http(const std::string& host, uint16_t port,
                                        const std::string& request, Millis timeout = kPatience);

  ~WsClient();

  // What the server answered to Options::subprotocol; empty where it chose none.
  const std::string& subprotocol() const;

  // Each sends one message whole. Errors: the connection broke, or `kPatience` passed.
  absl::Status SendText(std::string_view text);
  absl::Status SendBinary(std::string_view bytes);
  // Writes bytes to the socket with no framing at all.
  absl::Status SendRaw(std::string_view bytes);

  // The next text frame. DEADLINE_EXCEEDED: none came in time (the call may be repeated). ABORTED:
  // the connection is closed, see close_code().
  absl::StatusOr<std::string> Next(Millis timeout = kPatience);
  // The same, parsed. DATA_LOSS where the frame is no JSON object.
  absl::StatusOr<boost::json::object> NextJson(Millis timeout = kPatience);
  // The next frame of this "type"; frames of other types before it are dropped.
  absl::StatusOr<boost::json::object> NextOfType(std::string_view type, Millis timeout = kPatience);

  // Drops frames until the server closes; its close code, or DEADLINE_EXCEEDED.
  absl::StatusOr<int> WaitForClose(Millis timeout = kPatience);
  // The server's close code; 1006 where the connection broke without one, 0 while it is open.
  int close_code() const;

  // Pings that came from the server (and were answered) so far.
  int pings() const;

  // Closes with 1000 and waits for the server's answer.
  void Close();

 private:
  struct Impl;
  explicit WsClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace seatlock::testing
