// Who hears of connections whose upgrade belongs to a trace, for the log. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/trace_context.h"

namespace seatlock::edge {

struct ClientTrace {
  base::TraceContext trace;
  std::string connection_id;  // As `connection_established` names it.
};

class Tracer {
 public:
  virtual ~Tracer() = default;

  // Whether a connection wants to be told of; asked at its upgrade. `sampled`: by the trace.
  virtual bool Wants(bool sampled) const = 0;
  virtual void OnConnected(const ClientTrace& client) = 0;
  // It was told `subscribed`; what it is sent of the showtime begins at `revision`, with the
  // picture of all seats unless `recovered`.
  virtual void OnSubscribed(const ClientTrace& client, std::string_view showtime_id,
                            uint64_t revision, bool recovered) = 0;
};

}  // namespace seatlock::edge
