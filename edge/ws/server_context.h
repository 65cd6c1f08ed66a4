// What a thread's server, its handshakes and its connections share. Strand-bound but for what it
// points at that says otherwise. Outlives the io_context, whose last handlers hold connections.
#pragma once

#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "common/base/clock.h"
#include "edge/fanout/hub.h"
#include "edge/fanout/wheel.h"
#include "edge/limits.h"
#include "edge/stats.h"
#include "edge/timers.h"
#include "edge/ws/admission.h"

namespace seatlock::edge {

class Handshake;

// Without the type-erased executor of asio's own typedef, which would cost each connection more
// than the rest of its socket.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                    boost::asio::io_context::executor_type>;

struct ServerContext {
  ServerContext(const base::Clock& c, Timers& t, Stats& s, Admission& a)
      : clock(c), timers(t), stats(s), admission(a), handshakes(c.MonotonicMs()) {}

  const base::Clock& clock;
  Timers& timers;
  Stats& stats;
  Admission& admission;
  Hub* hub = nullptr;  // Null before the server listens, and once it is gone.
  // What is read from a socket is used before the next one is read.
  std::array<char, kReceiveBytes> received;
  Wheel<Handshake> handshakes;
};

}  // namespace seatlock::edge
