// A connection before it is a WebSocket: reads the head of one HTTP request, then hands the socket
// on to a Connection, or says why not and waits for the peer to leave. The wheel of its thread ends
// it after kHandshakeMsMax in all. Keeps itself alive while it waits. Strand-bound.
//
//   state     | the head came whole        | it is none, or too long | time is over | place needed
//   reading   | upgraded: over, or refused | refused                 | over         | last look
//   last look | upgraded: over, or refused | refused                 | (comes right after: over)
//   refused   | (what comes is forgotten)  |                         | over         | over
//   over      | holds no socket and no place
//
// The last look reads once what lies there already; whatever comes of that, it is over then.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "edge/fanout/wheel.h"
#include "edge/ws/oldest_out.h"
#include "edge/ws/server_context.h"

namespace seatlock::edge {

class Handshake final : public std::enable_shared_from_this<Handshake> {
 public:
  Handshake(Socket socket, const boost::asio::ip::address& peer, ServerContext& context);
  ~Handshake();

  // `address` is what it counts as among the handshakes of the thread.
  void Start(const AddressKey& address);
  // Its time is over.
  void OnDue() { End(); }
  // Somebody needs its place, or its memory. A request that lies there already is answered all the
  // same.
  void GiveWay();

  WheelPlace wheel_place;             // The context's wheel's.
  OldestOut<Handshake>::Place place;  // The context's places'.

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
  enum class State : uint8_t { kReading, kLastLook, kRefused, kOver };

  void Wait();
  // Reads what is there; false once there is nothing to wait for.
  bool Read();
  void OnBytes(std::span<char> bytes);
  void Keep(std::span<const char> bytes);
  // What was kept, and is no longer.
  std::vector<char> TakeHead();
  // The first `head_bytes` of `bytes` are the head of a request.
  void OnHead(std::span<char> bytes, size_t head_bytes);
  void Upgrade(const UpgradeRequest& request, Admission::Admitted admitted, std::span<char> behind);
  void Refuse(int status, std::string_view message);
  // One send: an answer is small, and nothing was sent before it. False: it is over.
  bool Say(std::string_view answer);
  // Gives up its place and its time. The socket is the caller's to close or to hand on.
  void Leave();
  void End();

  Socket socket_;
  const boost::asio::ip::address peer_;
  ServerContext& context_;
  // What came of a head whose end is still to come; no more than kHttpHeaderBytesMax. It is parsed
  // once, when it is whole: parsed fields take many times the bytes.
  std::vector<char> head_;
  std::list<Handshake*>::iterator kept_;  // In the context's heads, if head_ is not empty.
  State state_ = State::kReading;
};

}  // namespace seatlock::edge
