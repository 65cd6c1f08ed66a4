#include "clients/cli/operate/status.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/operate/json_value.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

namespace json = boost::json;

constexpr char kUnknown[] = "-";
constexpr char kGood[] = "32";
constexpr char kBad[] = "31";
// Enough of a generation to tell two apart by eye.
constexpr size_t kGenerationShown = 8;

std::optional<double> UpSeconds(const ProgramLook& program, const Look& look) {
  const auto start = program.metrics.Sum("process_start_time_seconds");
  if (!start.has_value() || !(*start > 0)) return std::nullopt;
  return std::max(0.0, static_cast<double>(look.unix_ms) / 1000 - *start);
}

std::string Text(std::string text) {
  return text.empty() ? kUnknown : text;
}

// "3 calls"; nothing for none.
void Count(std::optional<double> count, const char* one, const char* several,
           std::vector<std::string>* parts) {
  if (!count.has_value() || *count < 1) return;
  parts->push_back(absl::StrCat(std::llround(*count), " ", *count < 1.5 ? one : several));
}

// What waits: calls at a server; showtimes and browsers at an edge.
std::string Behind(const ProgramLook& program) {
  const Samples& metrics = program.metrics;
  std::vector<std::string> parts;
  if (program.is_edge()) {
    const auto away = metrics.Sum("seatlock_edge_rooms_away");
    const auto blocked = metrics.Sum("seatlock_edge_connections_blocked");
    if (!away.has_value() && !blocked.has_value()) return kUnknown;
    Count(away, "showtime", "showtimes", &parts);
    Count(blocked, "slow reader", "slow readers", &parts);
  } else {
    const auto pending = metrics.Sum("seatlock_pending_calls");
    const auto overdue = metrics.Sum("seatlock_oldest_due_lock_seconds");
    if (!pending.has_value() && !overdue.has_value()) return kUnknown;
    Count(pending, "call", "calls", &parts);
    if (overdue.value_or(0) >= 1) {
      parts.push_back(absl::StrCat("a lock by ", std::llround(*overdue), "s"));
    }
  }
  return parts.empty() ? "nothing" : absl::StrJoin(parts, ", ");
}

std::optional<double> Connections(const ProgramLook& program) {
  return program.metrics.Sum(program.is_edge() ? "seatlock_edge_connections" : "seatlock_watchers");
}

std::string ConnectionsText(const ProgramLook& program) {
  const auto count = Connections(program);
  if (!count.has_value()) return kUnknown;
  const auto bound = program.metrics.Sum("seatlock_edge_connections_max");
  const std::string of = bound.has_value() ? absl::StrCat(" of ", std::llround(*bound)) : "";
  const int64_t connections = std::llround(*count);
  if (program.is_edge()) return absl::StrCat(connections, of);
  return absl::StrCat(connections, connections == 1 ? " watch" : " watches");
}

std::string Generation(const ProgramLook& program) {
  const auto all = program.metrics.LabelOf("seatlock_store_generation_info", "generation");
  return Clean(all.value_or("")).substr(0, kGenerationShown);
}

// An edge is ready although its servers are away: it tells its browsers.
std::string Why(const ProgramLook& program) {
  if (!program.error.empty()) return program.error;
  std::vector<std::string> parts;
  if (!program.ready) parts.push_back(program.ready_text);
  for (const std::string& detail : program.details) {
    if (absl::StrContains(detail, ": away")) parts.push_back(detail);
  }
  if (!program.metrics_error.empty()) parts.push_back(program.metrics_error);
  return absl::StrJoin(parts, "; ");
}

std::vector<std::string> Row(const ProgramLook& program, const Look& look, bool color) {
  const char* state = program.well() ? "ready" : program.error.empty() ? "not ready" : "down";
  const auto up = UpSeconds(program, look);
  std::vector<std::string> row = {Clean(program.address), Text(program.program),
                                  Paint(state, program.well() ? kGood : kBad, color),
                                  Text(program.version)};
  if (program.error.empty()) {
    row.push_back(up.has_value() ? UpText(*up) : kUnknown);
    row.push_back(Behind(program));
    row.push_back(program.is_edge() ? kUnknown : StoreOf(program).value_or(kUnknown));
    row.push_back(Text(Generation(program)));
    row.push_back(ConnectionsText(program));
  } else {
    row.insert(row.end(), 5, kUnknown);
  }
  row.push_back(Why(program));
  return row;
}

std::vector<std::string> Row(const ServerLook& server, bool color) {
  const char* state = server.serving ? "serving" : server.answered ? "not serving" : "down";
  std::vector<std::string> row = {Clean(server.address), "gRPC",
                                  Paint(state, server.serving ? kGood : kBad, color)};
  row.insert(row.end(), 6, kUnknown);
  row.push_back(server.text);
  return row;
}

json::object ToJson(const ProgramLook& program, const Look& look) {
  json::array details(program.details.begin(), program.details.end());
  return {
      {"address", program.address},
      {"program", OrNull(program.program)},
      {"up", program.error.empty()},
      {"ready", program.well()},
      {"why", OrNull(Why(program))},
      {"details", std::move(details)},
      {"version", OrNull(program.version)},
      {"revision", OrNull(program.revision)},
      {"upSeconds", OrNull(UpSeconds(program, look))},
      {"pendingCalls", OrNull(program.metrics.Sum("seatlock_pending_calls"))},
      {"oldestDueLockSeconds", OrNull(program.metrics.Sum("seatlock_oldest_due_lock_seconds"))},
      {"showtimesAway", OrNull(program.metrics.Sum("seatlock_edge_rooms_away"))},
      {"slowReaders", OrNull(program.metrics.Sum("seatlock_edge_connections_blocked"))},
      {"store", OrNull(StoreOf(program).value_or(""))},
      {"generation",
       OrNull(
           program.metrics.LabelOf("seatlock_store_generation_info", "generation").value_or(""))},
      {"connections", OrNull(Connections(program))}};
}

}  // namespace

std::string StatusTable(const Look& look, bool color) {
  std::vector<std::vector<std::string>> rows = {{"ADDRESS", "WHAT", "STATE", "VERSION", "UP",
                                                 "BEHIND", "STORE", "GENERATION", "CONNECTIONS",
                                                 "WHY"}};
  for (const ProgramLook& program : look.programs) rows.push_back(Row(program, look, color));
  for (const ServerLook& server : look.servers) rows.push_back(Row(server, color));
  std::vector<std::string> lines = TableLines(rows);
  for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
  return JoinLines(lines);
}

std::string StatusJson(const Look& look) {
  json::array programs;
  for (const ProgramLook& program : look.programs) programs.push_back(ToJson(program, look));
  json::array servers;
  for (const ServerLook& server : look.servers) {
    servers.push_back(json::object{{"address", server.address},
                                   {"up", server.answered},
                                   {"serving", server.serving},
                                   {"why", OrNull(server.text)}});
  }
  return json::serialize(json::object{{"ok", look.AllWell()},
                                      {"programs", std::move(programs)},
                                      {"servers", std::move(servers)}}) +
         "\n";
}

std::optional<std::string> StoreOf(const ProgramLook& program) {
  const auto store = program.metrics.LabelOf("seatlock_store_info", "store");
  if (!store.has_value()) return std::nullopt;
  const std::string profile =
      program.metrics.LabelOf("seatlock_store_info", "profile").value_or("");
  return Clean(absl::StrCat(*store, profile.empty() ? "" : " ", profile));
}

std::string UpText(double seconds) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  const auto all = static_cast<int64_t>(seconds);
  if (all < kMinute) return absl::StrCat(all, "s");
  if (all < kHour) return absl::StrCat(all / kMinute, "m");
  if (all < kDay) return absl::StrCat(all / kHour, "h ", all % kHour / kMinute, "m");
  return absl::StrCat(all / kDay, "d ", all % kDay / kHour, "h");
}

}  // namespace seatlock::cli::operate
