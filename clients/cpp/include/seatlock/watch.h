// Follows one showtime for as long as it is wanted, whatever happens to the connection.
//
//   std::unique_ptr<Watch> watch = client.WatchShowtime(request);
//   while (true) {
//     absl::StatusOr<Watch::Event> event = watch->Next(std::chrono::seconds(30));
//     ...
//   }
//
// A snapshot comes whole (its chunks put together) and stands in place of all before; changes come
// in order, once each, without holes. After a loss it comes back by itself with the position that
// it had, as late as the service asks (RetryInfo) and with growing pauses: whether the stream broke
// or ended, the service was overloaded or drained, or a proxy answered in its place (an HTTP 404 or
// 5xx). With several servers it takes the next one at once if its server is away, and returns to
// the one that its showtime prefers a random time after that is back. It then goes on after its
// position, so nothing is missed and nothing comes twice. Next and position belong to one thread;
// Cancel and Failure are thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::client {

class Watch {
 public:
  using Event = std::variant<v1::ShowtimeSnapshot, v1::Change, v1::Progress>;

  virtual ~Watch() = default;

  // Blocks for the next event. DeadlineExceeded: none came within `timeout`, and Next may be called
  // again; Cancelled: after Cancel. Any other failure is one that asking again cannot heal, such as
  // INVALID_FIELD (ErrorOf says which) or a service without this method. It ends the watch: Next
  // will return it again.
  virtual absl::StatusOr<Event> Next(std::chrono::milliseconds timeout) = 0;

  // What was last seen whole: resume with it to go on after it. Empty before the first event.
  virtual const v1::Position& position() const = 0;

  // Why there is no stream just now, while the watch tries to get one; OK while there is.
  virtual absl::Status Failure() const = 0;

  // Ends the watch, and a Next that blocks. May be called repeatedly.
  virtual void Cancel() = 0;
};

}  // namespace seatlock::client
