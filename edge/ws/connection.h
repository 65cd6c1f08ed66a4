// One browser's WebSocket: Beast's stream and a queue of shared frames. Keeps itself alive while
// something is under way; the rules of the conversation are in edge/core's Client. Strand-bound.
//
// This is the one class that knows how frames reach the wire; a leaner one may replace it.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "edge/core/client.h"
#include "edge/core/link.h"
#include "edge/ws/drain.h"
#include "edge/ws/server.h"
#include "edge/ws/upgrade.h"

namespace seatlock::edge {

class Connection final : public Link, public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::beast::tcp_stream stream, std::shared_ptr<ServerContext> context,
             std::string subprotocol);

  // Answers the upgrade, then talks until the connection ends.
  void Accept(UpgradeRequest request);

  void Send(Frame frame) override;
  size_t QueuedBytes() const override { return queued_bytes_; }
  uint64_t MessagesWritten() const override { return messages_written_; }
  void Ping() override;
  void Close(uint16_t code, std::string_view reason, bool drop_queue) override;
  void Drop() override;

 private:
  void OnAccepted(const boost::system::error_code& ec);
  void Read();
  void OnRead(const boost::system::error_code& ec);
  void CountProtocolClose(const boost::system::error_code& ec);
  void Write();
  void OnWritten(const boost::system::error_code& ec);
  void SendCloseFrame();
  void End();

  boost::beast::websocket::stream<LeftOpenStream> stream_;
  const std::shared_ptr<ServerContext> context_;
  const std::string subprotocol_;
  UpgradeRequest request_;
  std::shared_ptr<Client> client_;  // From the upgrade to the end.
  boost::beast::flat_buffer buffer_;
  std::deque<Frame> queue_;
  size_t queued_bytes_ = 0;
  uint64_t messages_written_ = 0;
  Frame writing_;  // On its way to the socket.
  bool pinging_ = false;
  bool broken_ = false;  // A write failed: the read will too.
  bool closing_ =
      false;  // Nothing is queued any more; once the queue is sent, so is close_reason_.
  bool close_sent_ = false;
  boost::beast::websocket::close_reason close_reason_;
};

}  // namespace seatlock::edge
