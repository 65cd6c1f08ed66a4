// What callers are told when nothing could be decided. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "services/seatlock/engine/outcome.h"

namespace seatlock::engine {

// The server takes nothing new.
inline Failure Draining() {
  return {Failure::Kind::kDraining, "the server is going away; try another"};
}

// `what`: the plural of what there are too many of.
inline Failure Full(const char* what) {
  return {Failure::Kind::kOverloaded, std::string("too many ") + what + " on this server"};
}

// The store failed. Nothing was done.
inline Failure StoreUnavailable(const absl::Status& status) {
  Failure::Kind kind = Failure::Kind::kStoreUnavailable;
  if (absl::IsResourceExhausted(status)) kind = Failure::Kind::kOverloaded;
  if (absl::IsDataLoss(status)) kind = Failure::Kind::kDamaged;
  return {kind, std::string(status.message())};
}

// Nothing was done: the store failed a moment ago, and is not asked again yet.
inline Failure NotNow() {
  return {Failure::Kind::kStoreUnavailable, "the store cannot be used now"};
}

// Nothing was done.
inline Failure CallerGone() {
  return {Failure::Kind::kCancelled, "the caller has gone"};
}

// It may have been done.
inline Failure OutcomeUnknown() {
  return {Failure::Kind::kOutcomeUnknown,
          "the store failed while this was being written; a retry with the same request_id tells"};
}

// The showtime may have been deleted.
inline Failure DeletionUnknown() {
  return {Failure::Kind::kOutcomeUnknown,
          "the store failed while the showtime was being deleted; look whether it is still there"};
}

}  // namespace seatlock::engine
