// The gRPC service config for those who call SeatLockService with stubs of their own, in any
// language (clients/cpp/service_config.json is the same text): pass it to the channel, such as with
// grpc::ChannelArguments::SetServiceConfigJSON, and set a request_id on every mutation, so that a
// retry is the same request. seatlock::client::Client does not use it: it retries by itself, which
// also covers lost answers and deadlines, and two mechanisms would multiply the attempts.
// Immutable.
#pragma once

namespace seatlock::client {

inline constexpr char kServiceConfigJson[] = R"json({
  "methodConfig": [
    {
      "name": [{"service": "seatlock.v1.SeatLockService"}],
      "timeout": "10s",
      "retryPolicy": {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"]
      }
    },
    {
      "name": [{"service": "seatlock.v1.SeatLockService", "method": "WatchShowtime"}],
      "waitForReady": true
    }
  ]
}
)json";

}  // namespace seatlock::client
