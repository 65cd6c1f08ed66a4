// The edge's strand: one io_context that one thread runs. Post() is thread-safe; After() is called
// on the strand.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>

#include "common/base/executor.h"
#include "edge/timers.h"

namespace seatlock::edge {

class IoStrand final : public base::Executor, public Timers {
 public:
  // `io` outlives this and every task.
  explicit IoStrand(boost::asio::io_context& io) : io_(io) {}

  void Post(base::Task task) override;
  void After(int64_t delay_ms, base::Task task) override;

 private:
  boost::asio::io_context& io_;
};

}  // namespace seatlock::edge
