// One WatchShowtime call. What it reads waits in an inbox between gRPC's threads and the strand, so
// that a burst reaches the strand in one task, however long that is busy with the task before. It
// reads ahead until the inbox is full (limits.h), and not at all while its owner is full.
//
// Lifetime: shared. From Begin() until gRPC is done with the call (OnDone) the stream holds itself;
// tasks on their way to the strand hold it too; timers hold it weakly; its owner holds it as long
// as it cares, and Cancel()s it else. The call counts as inside service.calls until OnDone, so
// whoever waits for that gate may then free all that the options point at. What comes later touches
// nothing but the stream itself.
//
// OnReadDone and OnDone run on gRPC's threads, everything else on the strand.
//
//   reads      | event                     | what happens → next
//   -----------+---------------------------+------------------------------------------------------
//   kUnderWay  | a message, and room       | the next read → kUnderWay
//              | a message, and no room    | → kPaused
//              | no message: the end       | the hold is given up → kOver
//   kPaused    | the owner takes more      | the next read → kUnderWay
//              | Cancel()                  | the hold is given up → kOver
//   kOver      |                           | OnDone follows
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "edge/protocol/events.h"
#include "edge/upstream/convert.h"
#include "edge/upstream/seat_service.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::edge {

class Stream final : public grpc::ClientReadReactor<v1::WatchShowtimeResponse>,
                     public std::enable_shared_from_this<Stream> {
 public:
  // Called on the strand, and looks by itself whether it still cares for this stream.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnEvent(const Stream* stream, StreamEvent event) = 0;
    // Whether it takes no more for now; asked again every kFullLookMs.
    virtual bool Full(const Stream* stream) = 0;
    // Last.
    virtual void OnEnd(const Stream* stream, const grpc::Status& status) = 0;
  };

  struct Call {
    std::string showtime_id;
    std::optional<Position> resume;
    bool wait_for_ready = false;
  };

  // Null if the service's gate is closed.
  static std::shared_ptr<Stream> Begin(SeatService& service, SeatServer& server,
                                       std::weak_ptr<Owner> owner, const Call& call);

  // Ends the call soon, whatever it is doing.
  void Cancel();

  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  enum class Reads { kUnderWay, kPaused, kOver };

  Stream(SeatService& service, const SeatServer& server, std::weak_ptr<Owner> owner);

  void Deliver();
  void ReadOn();
  void LookLater();
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::weak_ptr<Owner> owner_;
  // Until OnDone.
  base::Executor& executor_;
  Timers& timers_;
  Stats& stats_;
  const std::shared_ptr<base::Gate> calls_;
  const std::shared_ptr<ServerEntry> server_;

  std::shared_ptr<Stream> self_;  // From Begin() until OnDone.
  grpc::ClientContext context_;
  v1::WatchShowtimeRequest request_;
  v1::WatchShowtimeResponse response_;  // While a read is under way, gRPC's.
  bool looking_ = false;  // The strand's: it will look again whether the owner is full.

  base::Mutex mu_;
  std::vector<StreamEvent> inbox_ ABSL_GUARDED_BY(mu_);
  size_t inbox_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool posted_ ABSL_GUARDED_BY(mu_) = false;  // A task on its way to the strand empties the inbox.
  bool full_ ABSL_GUARDED_BY(mu_) = false;    // The owner takes no more for now.
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  Reads reads_ ABSL_GUARDED_BY(mu_) = Reads::kUnderWay;
};

}  // namespace seatlock::edge
