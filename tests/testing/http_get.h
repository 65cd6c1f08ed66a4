// HTTP against an admin listener: one GET, and connections that stay open. Blocking.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::testing {

struct HttpAnswer {
  int status = 0;
  std::string headers;
  std::string body;
};

// GETs `path` from "127.0.0.1:PORT". UNAVAILABLE where nobody answers within 20 s.
absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, const std::string& path);

// Keep-alive connections, each of which got an answer and asks for nothing more. Thread-compatible.
class IdleConnections {
 public:
  IdleConnections(const std::string& address, int count);
  ~IdleConnections();

  // How many got their answer.
  int answered() const { return answered_; }

 private:
  class Socket;
  std::vector<std::unique_ptr<Socket>> sockets_;
  int answered_ = 0;
};

}  // namespace seatlock::testing
