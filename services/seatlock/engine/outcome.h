// What the engine tells a caller. Values.
#pragma once

#include <string>
#include <variant>

#include "services/seatlock/domain/decide.h"

namespace seatlock::engine {

// The engine could not get a decision, or cannot vouch for it.
struct Failure {
  enum class Kind {
    kStoreUnavailable,  // nothing was done
    kDamaged,           // nothing was done; what is stored of this showtime is no valid history
    kOutcomeUnknown,    // may have been done; a retry with the same request_id settles it
    kDraining,          // nothing was done; the server is going away
    kOverloaded,        // nothing was done; a queue is full
    kCancelled,         // nothing was done; the caller had gone
    kShed,              // a stream was not read and held too much
  };
  Kind kind = Kind::kStoreUnavailable;
  std::string message;
};

using Result = std::variant<domain::Answer, domain::Refusal, Failure>;

}  // namespace seatlock::engine
