// The port through which showtimes are followed. edge/upstream implements it over gRPC.
// Everything here is strand-bound: called on, and calling back on, the home strand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "edge/protocol/events.h"

namespace seatlock::edge {

// The service is there, and does not serve this showtime now.
struct Refusal {
  std::string message;         // For the developer of a page: names neither internals nor shoppers.
  int64_t retry_after_ms = 0;  // When another try may help.
};

// Hears one showtime. Never called from inside Follow() or a Watch's methods.
class WatchSink {
 public:
  virtual ~WatchSink() = default;

  // Where the next stream should begin: after this position, or with a snapshot. Asked at any time.
  virtual std::optional<Position> ResumeFrom() const = 0;

  virtual void OnSnapshot(SnapshotPart part) = 0;
  virtual void OnChange(Change change) = 0;
  virtual void OnProgress(const Position& position) = 0;
  // The stream ended, and another server takes over from ResumeFrom() on: nothing is missed, but a
  // snapshot whose parts have not all come is void. Neither destroys nor restarts the watch.
  virtual void OnSwitched() {}
  // The stream ended or could not begin, because the service or its store is away, or the stream
  // went silent, and no other server has taken over within kTakeoverMsMax. The upstream keeps
  // trying. The sink may destroy its watch inside this call.
  virtual void OnLost() = 0;
  // The service ended the stream, or did not begin it: it has too many, or the history of this
  // showtime is damaged. The upstream keeps trying, as late as the service asks. The sink may
  // destroy its watch inside this call.
  virtual void OnRefused(const Refusal& refusal) = 0;
  // Whether it takes no more for now: the stream is not read on meanwhile, so that the service
  // sees a slow reader.
  virtual bool Full() const { return false; }
};

// One showtime being followed; destroying it ends that, and the sink hears no more.
class Watch {
 public:
  virtual ~Watch() = default;

  // Gives up the current stream and begins another from sink->ResumeFrom(). No OnLost for this.
  virtual void Restart() = 0;
};

class Upstream {
 public:
  virtual ~Upstream() = default;

  // `sink` outlives the watch, and the watch does not outlive this.
  virtual std::unique_ptr<Watch> Follow(const std::string& showtime_id, WatchSink* sink) = 0;
};

}  // namespace seatlock::edge
