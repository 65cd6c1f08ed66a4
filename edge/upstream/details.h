// What a refusal says beside its code (google.rpc.Status in the status's details). Pure.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>

#include "google/rpc/status.pb.h"

namespace seatlock::edge {

// The first detail of type T that `fits`; none if there is none, or nothing that can be read.
template <typename T, typename Fits>
std::optional<T> FindDetail(const grpc::Status& status, Fits fits) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return std::nullopt;
  for (const google::protobuf::Any& any : details.details()) {
    T detail;
    if (any.UnpackTo(&detail) && fits(detail)) return detail;
  }
  return std::nullopt;
}

}  // namespace seatlock::edge
