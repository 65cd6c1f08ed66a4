// One WatchShowtime stream: takes from an engine::Watcher and writes, one message at a time.
//
// Owns itself: gRPC's OnDone ends it. Everything happens in one flow, passed on between OnWriteDone
// and the watcher's ready callback, so that nothing here needs a lock: Next is called again only
// by whoever finished the write or was called because Next gave Nothing.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "services/seatlock/engine/engine.h"
#include "services/seatlock/rpc/call_trace.h"
#include "services/seatlock/rpc/cutter.h"
#include "services/seatlock/rpc/unary_call.h"

namespace seatlock::rpc {

class WatchCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // `request` is a serialised v1::WatchShowtimeRequest.
  static WatchCall* Start(engine::Engine& engine, Calls& calls,
                          grpc::CallbackServerContext& context, const grpc::ByteBuffer& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  WatchCall(Calls& calls, grpc::CallbackServerContext& context);

  // Finishes the call and answers false if its caller is not known, may not watch, or
  // calls too often.
  bool Admitted(const grpc::CallbackServerContext& context);
  void Open(engine::Engine& engine, const grpc::ByteBuffer& request);
  // Writes the next message, if there is one; finishes the call once the watch is over.
  void Pump();
  void FinishWith(const grpc::Status& status);

  Calls& calls_;
  const int64_t started_us_;
  const std::shared_ptr<CallTrace> trace_;  // null: nobody wants a report
  const std::shared_ptr<Cutter> cutter_;
  std::shared_ptr<engine::Watcher> watcher_;  // null where the request was refused
  grpc::ByteBuffer writing_;
};

}  // namespace seatlock::rpc
