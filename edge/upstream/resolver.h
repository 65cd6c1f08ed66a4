// Finds the addresses of a host's name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::edge {

class Resolver {
 public:
  // The addresses as text (10.0.0.1, 2001:db8::1), in no order; or why there are none.
  using Done = std::function<void(absl::StatusOr<std::vector<std::string>>)>;

  virtual ~Resolver() = default;

  // Does not block. `done` is called once, on any thread, perhaps inside this call, and perhaps
  // long after this resolver is gone.
  virtual void Resolve(const std::string& host, Done done) = 0;
};

// Asks the system (/etc/hosts, DNS). Each lookup has a thread of its own, because the system's call
// blocks until its servers have answered or timed out: nobody waits for that thread, not even the
// end of the process. Whoever asks has at most one lookup of a name under way. Thread-safe.
class SystemResolver final : public Resolver {
 public:
  void Resolve(const std::string& host, Done done) override;
};

}  // namespace seatlock::edge
