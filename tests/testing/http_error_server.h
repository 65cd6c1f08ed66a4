// Plays a proxy that is out of order: answers each request of an HTTP/2 connection with one HTTP
// status and nothing else, as nginx does while what stands behind it is away. Speaks just enough of
// HTTP/2 for a gRPC client. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>

namespace seatlock::testing {

class HttpErrorServer {
 public:
  // Listens on 127.0.0.1:`port` (0: one that is free) and answers `status`, until destroyed.
  HttpErrorServer(uint16_t port, int status);
  ~HttpErrorServer();
  HttpErrorServer(const HttpErrorServer&) = delete;
  HttpErrorServer& operator=(const HttpErrorServer&) = delete;

  uint16_t port() const;
  // Requests answered so far.
  int answered() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seatlock::testing
