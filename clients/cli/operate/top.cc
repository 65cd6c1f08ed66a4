#include "clients/cli/operate/top.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "clients/cli/operate/json_value.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

namespace json = boost::json;

constexpr char kUnknown[] = "-";
constexpr char kTitle[] = "1";
constexpr char kGood[] = "32";
constexpr char kWarn[] = "33";
constexpr char kBad[] = "1;31";
// Showtimes in a JSON line, and in a frame without a height.
constexpr size_t kBusiestMax = 20;

void AddTo(std::optional<double>* sum, std::optional<double> more) {
  if (more.has_value()) *sum = sum->value_or(0) + *more;
}

// A counter's rise; nullopt if one of the looks lacks it, or it fell because the program began
// anew.
std::optional<double> Rise(std::optional<double> before, std::optional<double> now) {
  if (!before.has_value() || !now.has_value() || *now < *before) return std::nullopt;
  return *now - *before;
}

Buckets RiseOf(const char* histogram, const Samples& before, const Samples& now) {
  const Buckets was = before.Histogram(histogram);
  if (was.up_to.empty()) return {};
  return Since(was, now.Histogram(histogram));
}

Latency LatencyOf(const Buckets& buckets) {
  return {Quantile(buckets, 0.5), Quantile(buckets, 0.99)};
}

// What the programs counted between the looks, added up.
struct Counted {
  std::map<std::string, double> locks;
  std::optional<double> all_locks;
  std::optional<double> bookings;
  std::optional<double> deliveries;
  Buckets commit_to_socket;
  Buckets append;
  Buckets commit;

  void Add(const Samples& before, const Samples& now) {
    const auto was = before.By("seatlock_commands_total", "result", {{"command", "lock"}});
    for (const auto& [result, count] :
         now.By("seatlock_commands_total", "result", {{"command", "lock"}})) {
      const auto old = was.find(result);
      const auto rise = old == was.end() ? std::nullopt : Rise(old->second, count);
      AddTo(&all_locks, rise);
      if (rise.value_or(0) > 0) locks[result] += *rise;
    }
    const Labels booked = {{"command", "book"}, {"result", "ok"}};
    AddTo(&bookings, Rise(before.Sum("seatlock_commands_total", booked),
                          now.Sum("seatlock_commands_total", booked)));
    AddTo(&deliveries, Rise(before.Sum("seatlock_edge_frames_sent_total"),
                            now.Sum("seatlock_edge_frames_sent_total")));
    commit_to_socket =
        Added(commit_to_socket, RiseOf("seatlock_edge_commit_to_socket_seconds", before, now));
    append = Added(append, RiseOf("seatlock_append_seconds", before, now));
    commit = Added(commit, RiseOf("seatlock_commit_seconds", before, now));
  }
};

std::optional<double> ASecond(std::optional<double> count, double seconds) {
  if (!count.has_value()) return std::nullopt;
  return *count / seconds;
}

void TakeRates(const Look& before, const Look& now, TopView* view) {
  Counted counted;
  for (size_t i = 0; i < now.programs.size() && i < before.programs.size(); ++i) {
    counted.Add(before.programs[i].metrics, now.programs[i].metrics);
  }
  for (const auto& [result, count] : counted.locks) {
    view->locks_a_second[Clean(result)] = count / view->seconds;
  }
  view->all_locks_a_second = ASecond(counted.all_locks, view->seconds);
  view->bookings_a_second = ASecond(counted.bookings, view->seconds);
  view->deliveries_a_second = ASecond(counted.deliveries, view->seconds);
  view->commit_to_socket = LatencyOf(counted.commit_to_socket);
  view->append = LatencyOf(counted.append);
  view->commit = LatencyOf(counted.commit);
}

// Those that moved since `before`, the one that moved most first.
void TakeBusiest(const ShowtimesLook& before, const ShowtimesLook& now, TopView* view) {
  for (const auto& [id, summary] : now.by_id) {
    const auto was = before.by_id.find(id);
    const bool known = was != before.by_id.end();
    // Another history: how far it came in this time nobody can tell.
    if (known && was->second.epoch() != summary.epoch()) continue;
    // One that is new moved from nothing, if the look before would have had it.
    if (!known && (!before.error.empty() || before.more)) continue;
    const uint64_t from = known ? was->second.revision() : 0;
    if (summary.revision() <= from) continue;
    BusyShowtime& busy = view->busiest.emplace_back();
    busy.id = Clean(id);
    busy.revisions_a_second = static_cast<double>(summary.revision() - from) / view->seconds;
    busy.revision = summary.revision();
    if (summary.has_locked()) busy.locked = summary.locked();
    if (summary.has_booked()) busy.booked = summary.booked();
  }
  std::stable_sort(view->busiest.begin(), view->busiest.end(), [](const auto& a, const auto& b) {
    return a.revisions_a_second > b.revisions_a_second;
  });
}

void TakeWell(const Look& look, TopView* view) {
  for (const ProgramLook& program : look.programs) {
    ++view->asked;
    if (program.well() && program.metrics_error.empty()) {
      ++view->well;
      continue;
    }
    const std::string& why = !program.error.empty() ? program.error
                             : !program.ready       ? program.ready_text
                                                    : program.metrics_error;
    view->unwell.push_back(absl::StrCat(program.address, ": ", why));
  }
  for (const ServerLook& server : look.servers) {
    ++view->asked;
    if (server.serving) {
      ++view->well;
    } else {
      view->unwell.push_back(absl::StrCat(server.address, ": ", server.text));
    }
  }
}

std::string Number(std::optional<double> value) {
  if (!value.has_value()) return kUnknown;
  if (*value > 0 && *value < 10) return absl::StrFormat("%.1f", *value);
  return absl::StrFormat("%.0f", *value);
}

std::string Seconds(std::optional<double> value) {
  if (!value.has_value()) return kUnknown;
  if (*value < 0.01) return absl::StrFormat("%.1f ms", *value * 1e3);
  if (*value < 1) return absl::StrFormat("%.0f ms", *value * 1e3);
  return absl::StrFormat("%.2f s", *value);
}

std::string LatencyText(const Latency& latency) {
  return absl::StrCat("p50 ", Seconds(latency.p50_seconds), ", p99 ", Seconds(latency.p99_seconds));
}

std::string Head(const TopView& view, bool color) {
  const std::string time =
      absl::FormatTime("%H:%M:%SZ", absl::FromUnixMillis(view.unix_ms), absl::UTCTimeZone());
  const std::string well = absl::StrCat(view.well, " of ", view.asked, " well");
  const std::string since =
      view.seconds > 0 ? absl::StrFormat("over %.1f s", view.seconds) : "first look";
  return absl::StrCat(Paint("seatctl top", kTitle, color), "  ", time, "  ",
                      Paint(well, view.well == view.asked ? kGood : kBad, color), "  ", since);
}

std::vector<std::string> Numbers(const TopView& view, bool color) {
  const auto name = [color](const char* text) { return Paint(PadRight(text, 18), kTitle, color); };
  std::string results;
  for (const auto& [result, rate] : view.locks_a_second) {
    absl::StrAppend(&results, "  ", result, " ",
                    Paint(Number(rate), result == "ok" ? kGood : kWarn, color));
  }
  return {
      absl::StrCat(name("locks/s"), PadRight(Number(view.all_locks_a_second), 8), results),
      absl::StrCat(name("bookings/s"), Number(view.bookings_a_second)),
      absl::StrCat(name("connections"), Number(view.connections)),
      absl::StrCat(name("deliveries/s"), Number(view.deliveries_a_second)),
      absl::StrCat(name("commit to socket"), LatencyText(view.commit_to_socket)),
      absl::StrCat(name("pending calls"), Number(view.pending_calls)),
      absl::StrCat(name("store append"), LatencyText(view.append)),
      absl::StrCat(name("store commit"), LatencyText(view.commit)),
  };
}

std::string BusiestHead(const TopView& view, bool color) {
  if (!view.showtimes_error.empty()) {
    return Paint(absl::StrCat("showtimes: ", view.showtimes_error), kBad, color);
  }
  if (view.showtimes_seen == 0) return Paint("no showtimes looked at", kTitle, color);
  const std::string which = view.more_showtimes ? absl::StrCat("of the first ", view.showtimes_seen,
                                                               " by id; more follow")
                                                : absl::StrCat("of ", view.showtimes_seen);
  return absl::StrCat(Paint("busiest showtimes", kTitle, color), " (", which, ")");
}

std::vector<std::string> BusiestRows(const TopView& view, size_t count, bool color) {
  if (view.busiest.empty() || count == 0) return {};
  const auto number = [](std::optional<uint64_t> value) {
    return value.has_value() ? absl::StrCat(*value) : std::string("?");
  };
  std::vector<std::vector<std::string>> rows = {
      {"  CHANGES/S", "REVISION", "LOCKED", "BOOKED", "SHOWTIME"}};
  for (const BusyShowtime& busy : view.busiest) {
    if (rows.size() > count) break;
    rows.push_back({PadLeft(Number(busy.revisions_a_second), 11), absl::StrCat(busy.revision),
                    number(busy.locked), number(busy.booked), busy.id});
  }
  std::vector<std::string> lines = TableLines(rows);
  lines.front() = Paint(lines.front(), "2", color);
  return lines;
}

// Cuts the frame to `height` lines, the last of which says so.
void CutTo(int height, std::vector<std::string>* lines) {
  if (height <= 0 || lines->size() <= static_cast<size_t>(height)) return;
  const size_t left_out = lines->size() - static_cast<size_t>(height) + 1;
  lines->resize(static_cast<size_t>(height) - 1);
  lines->push_back(absl::StrCat("... ", left_out, " more lines: make the terminal higher"));
}

json::value CountOrNull(const std::optional<uint64_t>& count) {
  return count.has_value() ? json::value(*count) : json::value(nullptr);
}

json::object ToJson(const Latency& latency) {
  return {{"p50Seconds", OrNull(latency.p50_seconds)}, {"p99Seconds", OrNull(latency.p99_seconds)}};
}

}  // namespace

TopView CompareLooks(const TopLook* before, const TopLook& now) {
  TopView view;
  view.unix_ms = now.look.unix_ms;
  TakeWell(now.look, &view);
  for (const ProgramLook& program : now.look.programs) {
    AddTo(&view.connections, program.metrics.Sum("seatlock_edge_connections"));
    AddTo(&view.pending_calls, program.metrics.Sum("seatlock_pending_calls"));
  }
  view.showtimes_error = now.showtimes.error;
  view.showtimes_seen = now.showtimes.by_id.size();
  view.more_showtimes = now.showtimes.more;
  const int64_t ms = before == nullptr ? 0 : now.look.monotonic_ms - before->look.monotonic_ms;
  if (ms <= 0) return view;
  view.seconds = static_cast<double>(ms) / 1e3;
  TakeRates(before->look, now.look, &view);
  TakeBusiest(before->showtimes, now.showtimes, &view);
  return view;
}

std::vector<std::string> TopFrame(const TopView& view, int width, int height, bool color) {
  std::vector<std::string> lines = {Head(view, color)};
  for (const std::string& each : view.unwell) lines.push_back(Paint(each, kBad, color));
  for (std::string& each : Numbers(view, color)) lines.push_back(std::move(each));
  lines.emplace_back();
  lines.push_back(BusiestHead(view, color));
  size_t room = kBusiestMax;
  if (height > 0) {
    const int left = height - static_cast<int>(lines.size()) - 1;  // one for the columns' names
    room = static_cast<size_t>(std::max(left, 0));
  }
  for (std::string& each : BusiestRows(view, room, color)) lines.push_back(std::move(each));
  CutTo(height, &lines);
  for (std::string& line : lines) line = Clip(line, width);
  return lines;
}

std::string TopJson(const TopView& view) {
  json::object locks;
  for (const auto& [result, rate] : view.locks_a_second) locks[result] = rate;
  json::array busiest;
  for (const BusyShowtime& busy : view.busiest) {
    if (busiest.size() == kBusiestMax) break;
    busiest.push_back(json::object{{"showtimeId", busy.id},
                                   {"changesPerSecond", busy.revisions_a_second},
                                   {"revision", busy.revision},
                                   {"locked", CountOrNull(busy.locked)},
                                   {"booked", CountOrNull(busy.booked)}});
  }
  json::object object = {{"timestamp", view.unix_ms},
                         {"seconds", view.seconds},
                         {"well", view.well},
                         {"asked", view.asked},
                         {"unwell", json::array(view.unwell.begin(), view.unwell.end())},
                         {"locksPerSecond", OrNull(view.all_locks_a_second)},
                         {"locksPerSecondByResult", std::move(locks)},
                         {"bookingsPerSecond", OrNull(view.bookings_a_second)},
                         {"connections", OrNull(view.connections)},
                         {"deliveriesPerSecond", OrNull(view.deliveries_a_second)},
                         {"pendingCalls", OrNull(view.pending_calls)},
                         {"commitToSocket", ToJson(view.commit_to_socket)},
                         {"storeAppend", ToJson(view.append)},
                         {"storeCommit", ToJson(view.commit)},
                         {"busiest", std::move(busiest)},
                         {"showtimesSeen", view.showtimes_seen},
                         {"moreShowtimes", view.more_showtimes},
                         {"showtimesError", OrNull(view.showtimes_error)}};
  return json::serialize(object) + "\n";
}

}  // namespace seatlock::cli::operate
