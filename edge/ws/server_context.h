// What a thread's server, its handshakes and its connections share. Strand-bound but for what it
// points at that says otherwise. Outlives the io_context, whose last handlers hold connections.
#pragma once

#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <list>

#include "common/base/clock.h"
#include "edge/fanout/hub.h"
#include "edge/fanout/wheel.h"
#include "edge/limits.h"
#include "edge/stats.h"
#include "edge/timers.h"
#include "edge/ws/admission.h"
#include "edge/ws/oldest_out.h"

namespace seatlock::edge {

class Handshake;

// Without the type-erased executor of asio's own typedef, which would cost each connection more
// than the rest of its socket.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                    boost::asio::io_context::executor_type>;

struct ServerContext {
  // `handshakes_max`, at least 1, may shake hands at a time on this thread.
  ServerContext(const base::Clock& c, Timers& t, Stats& s, Admission& a, size_t handshakes_max)
      : clock(c),
        timers(t),
        stats(s),
        admission(a),
        handshakes(c.MonotonicMs()),
        handshake_places(handshakes_max, HandshakesAnAddressMax(handshakes_max)),
        head_bytes_max(handshakes_max * kHttpHeaderBytesMax) {}

  const base::Clock& clock;
  Timers& timers;
  Stats& stats;
  Admission& admission;
  const Tracer* tracer = nullptr;  // Null: nobody wants to hear of traces.
  Hub* hub = nullptr;              // Null before the server listens, and once it is gone.
  // What is read from a socket is used before the next one is read.
  std::array<char, kReceiveBytes> received;
  // Those that shake hands or are being refused: when each is over, and who goes for a newcomer.
  Wheel<Handshake> handshakes;
  OldestOut<Handshake> handshake_places;
  // Those that keep part of a head whose end is still to come, in the order in which they began to,
  // and what all of them keep.
  std::list<Handshake*> heads;
  const size_t head_bytes_max;
  size_t head_bytes = 0;
};

}  // namespace seatlock::edge
