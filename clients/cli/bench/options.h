// What `seatctl bench` was asked to do. Values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "seatlock/tls_options.h"

namespace seatlock::cli::bench {

enum class Bench { kLock, kWatch, kWs };

// What a call does, and the columns of --mix in this order.
enum class Kind : uint8_t { kLock, kUnlock, kExtend, kBook, kCancel };
inline constexpr std::array kKinds = {Kind::kLock, Kind::kUnlock, Kind::kExtend, Kind::kBook,
                                      Kind::kCancel};
inline constexpr std::array kKindNames = {"lock", "unlock", "extend", "book", "cancel"};
using Mix = std::array<uint32_t, kKinds.size()>;

struct Options {
  Bench bench = Bench::kLock;

  // Of every seatctl command.
  std::vector<std::string> servers;
  std::optional<client::TlsOptions> tls;
  int64_t timeout_ms = 10'000;  // of a call with its retries
  bool json = false;

  int64_t rate = 500;  // calls a second; 0: none (watch, ws)
  int64_t duration_ms = 10'000;
  uint64_t count = 0;  // of calls; 0: as many as --duration has time for
  int64_t showtimes = 10;
  int64_t seats = 500;
  int64_t sessions = 1'000;
  int64_t in_flight = 256;
  int64_t ttl_ms = 60'000;
  // As many locks as unlocks and bookings, as many cancellations as bookings: the number of seats
  // that are taken stays about the same.
  Mix mix = {45, 40, 5, 5, 5};
  int64_t hot_percent = 0;  // of locks, for the same few seats
  bool allow_beyond_loopback = false;

  int64_t watchers = 100;         // watch
  int64_t connections = 200;      // ws
  int64_t ramp = 200;             // connections or streams opened a second
  int64_t reconnect_percent = 1;  // of them, cut and opened again each second
  std::string url;                // ws
};

// Calls of the run.
uint64_t CallsOf(const Options& options);

// Reads "lock=50,unlock=50". What is wrong, in words that complete "--mix ..."; empty: nothing.
std::string ParseMix(const std::string& text, Mix* mix);
std::string MixText(const Mix& mix);

// What is wrong with the options together; empty: nothing.
std::string CheckOptions(const Options& options);

}  // namespace seatlock::cli::bench
