// The port through which rooms follow the seat service. edge/upstream implements it over gRPC.
// Everything here is strand-bound: called on, and calling back on, the edge's one strand.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "edge/protocol/events.h"

namespace seatlock::edge {

// Hears one showtime. Never called from inside Follow() or a Watch's methods.
class WatchSink {
 public:
  virtual ~WatchSink() = default;

  // Where the next stream should begin: after this position, or with a snapshot.
  virtual std::optional<Position> ResumeFrom() const = 0;

  virtual void OnSnapshot(SnapshotPart part) = 0;
  virtual void OnChange(Change change) = 0;
  virtual void OnProgress(const Position& position) = 0;
  // The stream ended or could not begin. The upstream keeps trying on its own.
  virtual void OnLost() = 0;
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

  // `sink` outlives the watch.
  virtual std::unique_ptr<Watch> Follow(const std::string& showtime_id, WatchSink* sink) = 0;
};

}  // namespace seatlock::edge
