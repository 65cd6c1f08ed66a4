// The edge's log lines of connections whose upgrade belongs to a trace. Owned by main. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/runtime/trace_log.h"
#include "edge/fanout/tracer.h"

namespace seatlock::edge {

class TraceLines final : public Tracer {
 public:
  explicit TraceLines(const base::Clock& clock) : log_(clock) {}

  bool Wants(bool sampled) const override { return log_.Wants(sampled); }
  void OnConnected(const ClientTrace& client) override {
    log_.Write(client.trace.sampled, "a browser connected",
               {{"trace", client.trace.trace_id},
                {"span", client.trace.parent_id},
                {"connection", client.connection_id}});
  }
  void OnSubscribed(const ClientTrace& client, std::string_view showtime_id, uint64_t revision,
                    bool recovered) override {
    log_.Write(client.trace.sampled, "a browser subscribed",
               {{"trace", client.trace.trace_id},
                {"span", client.trace.parent_id},
                {"connection", client.connection_id},
                {"showtime", showtime_id},
                {"revision", revision},
                {"recovered", recovered}});
  }

  void Tick() { log_.Tick(); }

 private:
  runtime::TraceLog log_;
};

}  // namespace seatlock::edge
