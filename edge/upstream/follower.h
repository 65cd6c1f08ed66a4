// One showtime being followed: keeps one stream going for its sink, on the best server of its route
// (route.h). A stream that ends is begun again from where the sink stands: at once on the next
// server that may serve the showtime, and if there is none, as late as the service asks (RetryInfo)
// and with growing pauses. Strand-bound; shared, because streams and timers hold it weakly.
//
//   phase      | streams     | event                         | what happens → next phase
//   -----------+-------------+-------------------------------+------------------------------------
//   kWaiting   | none        | the pause is over, or a       | a round begins, with a stream on the
//              |             | server is there that this     | best server → kTrying
//              |             | round has not tried           | there is none: told away → kWaiting
//   kTrying    | one, which  | it says something             | → kFollowing
//              | said        | it ends, or says nothing for  | one on the next → kTrying;
//              | nothing yet | kTryMsMax and there's another | none is left: told → kWaiting
//   kFollowing | one         | it ends, or is silent for     | as in kTrying
//              |             | kStreamSilentMsMax            |
//              |             | a better server, and its time | a second one there, from where the
//              |             | has come                      | sink stands → kMoving
//   kMoving    | two; both   | the second has caught up      | the first is ended → kFollowing
//              | are heard   | the second ends, has another  | it is given up, another try later
//              |             | history or takes kTryMsMax    | → kFollowing
//              |             | the first ends                | the second is the one → kTrying
//   kOver      | none        | (the sink is gone)            |
//
// Restart() leads to kWaiting, Stop() to kOver. Only Enter() changes the phase.
//
// While a showtime moves, both streams' changes go to the sink, each revision from whichever says
// it first, so none is missed and none comes twice; if the old stream was ahead, the new one is
// heard from where the sink stands then.
//
// The sink is told nothing while other servers are tried, for kTakeoverMsMax at most:
//
//   outage  | event                                             | → next
//   --------+---------------------------------------------------+--------------------------------
//   kNone   | a stream ends, and there is another server        | → kHidden
//   kHidden | kTakeoverMsMax pass, or no server is left          | the sink is told → kTold
//   any     | a stream says something                           | → kNone
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "edge/showtime/upstream.h"
#include "edge/upstream/backoff.h"
#include "edge/upstream/health.h"
#include "edge/upstream/route.h"
#include "edge/upstream/seat_service.h"
#include "edge/upstream/stream.h"

namespace seatlock::edge {

class Follower final : public Stream::Owner,
                       public SeatServers::Listener,
                       public std::enable_shared_from_this<Follower> {
 public:
  // `sink` outlives the time until Stop().
  Follower(std::shared_ptr<SeatService> service, std::string showtime_id, WatchSink* sink);

  // Begins in the strand's next task, so that the sink hears nothing inside this call. Once.
  void Start();
  // Gives up the stream and begins another.
  void Restart();
  // The sink hears no more.
  void Stop();

  void OnEvent(const Stream* stream, StreamEvent event) override;
  bool Full(const Stream* stream) override;
  void OnEnd(const Stream* stream, const grpc::Status& status) override;
  void OnServers(const SeatServer* back) override;

 private:
  enum class Phase { kWaiting, kTrying, kFollowing, kMoving, kOver };
  enum class Outage { kNone, kHidden, kTold };
  struct Leg {
    std::shared_ptr<Stream> stream;
    std::shared_ptr<SeatServer> server;
    uint64_t from = 0;    // The revision that it was begun from: nothing before is repetition.
    bool merges = false;  // It may repeat what the sink has heard of another one.
  };

  // What streams say.
  void OnMainEvent(StreamEvent event);
  void OnSecondEvent(StreamEvent event);
  void Heard();
  // Whether the sink has heard it of the other stream.
  bool IsKnown(const Leg& leg, const StreamEvent& event) const;
  void Pass(StreamEvent event);

  // One stream after another.
  void Enter(Phase next);
  void Wait(int64_t delay_ms);
  void BeginRound();
  void Begin(std::shared_ptr<SeatServer> server);
  Leg LegOn(std::shared_ptr<SeatServer> server, bool wait_for_ready);
  void MainIs(Leg leg);
  void MainEnded(const grpc::Status& status);
  void LookWhetherItSpoke();
  void LeaveMain(const char* why);
  void WatchSilence(int64_t delay_ms);
  void CancelStreams();

  // Servers come and go.
  void LeaveGivenUpServer();
  void PlanMove();
  void MoveIn(int64_t delay_ms);
  void Move();
  void Adopt();
  void GiveUpMove();

  // What the sink is told.
  void Hide();
  void Tell();
  void TellAway();
  void See(Health::Seen seen);

  // Calls it in a while if the phase was not entered anew meanwhile.
  void InPhase(int64_t delay_ms, void (Follower::*call)());
  bool IsMain(const Stream* stream) const { return main_.stream && stream == main_.stream.get(); }
  bool IsSecond(const Stream* stream) const {
    return second_.stream && stream == second_.stream.get();
  }
  int64_t now_ms() const { return service_->options.clock->MonotonicMs(); }

  const std::shared_ptr<SeatService> service_;
  const std::string showtime_id_;
  WatchSink* sink_;
  Route route_;
  Phase phase_ = Phase::kWaiting;
  uint64_t entered_ = 0;  // Phases, with this one.
  Leg main_;
  Leg second_;                         // In kMoving alone.
  uint64_t attempt_ = 0;               // Streams that were main_. Timers of one before do nothing.
  int64_t last_event_ms_ = 0;          // Of main_; monotonic.
  bool in_snapshot_ = false;           // Of main_: parts of a snapshot are still to come.
  std::optional<Refusal> refused_;     // The last one of this round.
  std::optional<int64_t> move_at_ms_;  // If one is planned.
  Outage outage_ = Outage::kNone;
  uint64_t outages_ = 0;  // Timers of one before do nothing.
  Health::Seen seen_ = Health::Seen::kNothing;
  Backoff backoff_;
};

}  // namespace seatlock::edge
