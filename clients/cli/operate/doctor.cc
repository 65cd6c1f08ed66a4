#include "clients/cli/operate/doctor.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "clients/cli/operate/json_value.h"
#include "clients/cli/operate/status.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

namespace json = boost::json;
using Findings = std::vector<Finding>;

// A share of a bound from which on it is worth a warning, and from which on it is wrong: the rest
// is gone before anybody has reacted.
constexpr double kNearly = 0.8;
constexpr double kAlmostAll = 0.95;
// Hard limits of open files that shells and service managers give if nobody chose one.
constexpr int64_t kFilesUnchosen = 4'096;
// As the programs judge clocks: a line above 1 s between two, an error above 60 s.
constexpr double kClockWarnSeconds = 1;
constexpr double kClockWrongSeconds = 60;
// The kernel's default since Linux 5.4; before it 128, which a crowd that comes back overruns.
constexpr int64_t kSomaxconnMin = 4'096;
constexpr char kEdgeServer[] = "seatlock-edge";

void Add(Findings* findings, Level level, const char* check, std::string what,
         std::string mend = "") {
  findings->push_back({level, check, std::move(what), std::move(mend)});
}

Level ByShare(double used, double bound) {
  return used >= kAlmostAll * bound ? Level::kWrong
         : used >= kNearly * bound  ? Level::kWarn
                                    : Level::kOk;
}

std::string Count(double value) {
  return absl::StrCat(std::llround(value));
}

// --- programs -----------------------------------------------------------------------------------

void CheckUp(const Facts& facts, Findings* findings) {
  for (const ProgramLook& program : facts.look.programs) {
    if (program.well()) {
      Add(findings, Level::kOk, "up",
          absl::StrCat(program.address, ": ", program.program, " is ready"));
    } else if (!program.error.empty()) {
      Add(findings, Level::kWrong, "up", absl::StrCat(program.address, ": ", program.error),
          "start it, or name the right admin listeners with --admin");
    } else {
      Add(findings, Level::kWrong, "up",
          absl::StrCat(program.address, ": ", program.program,
                       " is not ready: ", program.ready_text),
          "look at its log");
    }
  }
  for (const ServerLook& server : facts.look.servers) {
    if (server.serving) {
      Add(findings, Level::kOk, "up", absl::StrCat(server.address, ": serves gRPC"));
    } else {
      Add(findings, Level::kWrong, "up", absl::StrCat(server.address, ": ", server.text),
          server.answered ? "look at its log and its /readyz"
                          : "start it, or name the right servers with --server");
    }
  }
}

void CheckVersions(const Facts& facts, Findings* findings) {
  std::map<std::string, std::vector<std::string>> by_version;
  for (const ProgramLook& program : facts.look.programs) {
    if (!program.error.empty()) continue;
    by_version[absl::StrCat(program.version, " (", program.revision, ")")].push_back(
        program.address);
  }
  if (by_version.empty()) return;
  if (by_version.size() == 1) {
    return Add(findings, Level::kOk, "versions",
               absl::StrCat("all run ", by_version.begin()->first));
  }
  std::vector<std::string> each;
  for (const auto& [version, addresses] : by_version) {
    each.push_back(absl::StrCat(version, " at ", absl::StrJoin(addresses, ", ")));
  }
  Add(findings, Level::kWarn, "versions", absl::StrJoin(each, "; "),
      "fine while you update; else install the same version everywhere and restart");
}

// --- descriptors --------------------------------------------------------------------------------

void CheckFilesOf(const ProgramLook& program, Findings* findings) {
  const auto open = program.metrics.Sum("process_open_fds");
  const auto max = program.metrics.Sum("process_max_fds");
  if (!open.has_value() || !max.has_value() || !(*max > 0)) {
    return Add(
        findings, Level::kNote, "descriptors",
        absl::StrCat(program.address, ": does not tell how many files it has open"),
        "on its machine: grep 'open files' /proc/$(pidof -s " + program.program + ")/limits");
  }
  const std::string files =
      absl::StrCat(program.address, ": ", Count(*open), " of ", Count(*max), " files open");
  const std::string mend =
      "LimitNOFILE=524288 in its unit, or --ulimit nofile=524288 for its container";
  Level level = ByShare(*open, *max);
  if (!program.is_edge())
    return Add(findings, level, "descriptors", files, level == Level::kOk ? "" : mend);
  if (*max <= kFilesUnchosen) level = std::max(level, Level::kWarn);
  std::string what = files;
  const auto connections = program.metrics.Sum("seatlock_edge_connections");
  const auto bound = program.metrics.Sum("seatlock_edge_connections_max");
  if (connections.has_value() && bound.has_value()) {
    absl::StrAppend(&what, ", ", Count(*connections), " of ", Count(*bound), " connections");
    level = std::max(level, ByShare(*connections, *bound));
  }
  Add(findings, level, "descriptors", what, level == Level::kOk ? "" : mend);
}

void CheckDescriptors(const Facts& facts, Findings* findings) {
  for (const ProgramLook& program : facts.look.programs) {
    if (program.error.empty()) CheckFilesOf(program, findings);
  }
  const std::string what = absl::StrCat("this shell: programs that it starts may open ",
                                        facts.shell_files_hard, " files");
  if (facts.shell_files_hard > kFilesUnchosen)
    return Add(findings, Level::kOk, "descriptors", what);
  Add(findings, Level::kWarn, "descriptors", what,
      "before you start an edge from a shell: ulimit -Hn 524288 (as root), or set nofile in "
      "/etc/security/limits.conf");
}

// --- clocks -------------------------------------------------------------------------------------

Level ByOffset(double seconds) {
  const double size = std::abs(seconds);
  return size > kClockWrongSeconds  ? Level::kWrong
         : size > kClockWarnSeconds ? Level::kWarn
                                    : Level::kOk;
}

std::string OffsetText(double seconds) {
  return absl::StrFormat("%.3f s %s", std::abs(seconds), seconds < 0 ? "behind" : "ahead");
}

void CheckGauge(const ProgramLook& program, const char* metric, const char* what,
                Findings* findings) {
  const auto offset = program.metrics.Sum(metric);
  if (!offset.has_value()) return;
  const Level level = ByOffset(*offset);
  Add(findings, level, "clock",
      absl::StrCat(program.address, ": ", what, " is ", OffsetText(*offset)),
      level == Level::kOk
          ? ""
          : "set that machine's clock: chronyc makestep; the program follows slowly");
}

void CheckClock(const Facts& facts, Findings* findings) {
  if (!facts.clock.synchronised.has_value()) {
    Add(findings, Level::kNote, "clock", "this machine: the kernel does not say whether NTP is on",
        "timedatectl");
  } else if (*facts.clock.synchronised) {
    Add(findings, Level::kOk, "clock", "this machine: kept right by NTP");
  } else {
    Add(findings, Level::kWarn, "clock", "this machine: nothing keeps its clock right",
        "timedatectl set-ntp true, or apt-get install chrony");
  }
  for (const ServerFacts& server : facts.servers) {
    if (!server.error.empty()) continue;
    // It is somewhere within the round trip.
    const double sure = std::max<double>(
        0, static_cast<double>(std::abs(server.offset_ms) - server.round_trip_ms / 2) / 1e3);
    const Level level = ByOffset(sure);
    Add(findings, level, "clock",
        absl::StrCat(server.address, ": its time is ",
                     OffsetText(static_cast<double>(server.offset_ms) / 1e3),
                     " of this machine's (the call took ", server.round_trip_ms, " ms)"),
        level == Level::kOk ? "" : "chronyc makestep on the machine whose clock is wrong");
  }
  for (const ProgramLook& program : facts.look.programs) {
    CheckGauge(program, "seatlock_clock_offset_seconds", "the clock that it should follow",
               findings);
    CheckGauge(program, "seatlock_edge_clock_offset_seconds", "its machine's clock", findings);
    CheckGauge(program, "seatlock_store_clock_skew_seconds",
               "its machine's clock beside the store's", findings);
  }
}

// --- keepalive ----------------------------------------------------------------------------------

std::string Seconds(int64_t ms) {
  return absl::StrFormat("%.1f s", static_cast<double>(ms) / 1e3);
}

void CheckKeepalive(const Facts& facts, Findings* findings) {
  for (const ServerFacts& server : facts.servers) {
    if (!server.error.empty()) continue;
    if (!server.watched) {
      Add(findings, Level::kNote, "keepalive",
          absl::StrCat(server.address, ": no idle watch was held"), "seatctl doctor --idle=70s");
    } else if (server.watch_ended.empty()) {
      Add(findings, Level::kOk, "keepalive",
          absl::StrCat(server.address, ": an idle watch lasted ", Seconds(server.held_ms)));
    } else {
      Add(findings, Level::kWrong, "keepalive",
          absl::StrCat(server.address, ": an idle watch was cut after ", Seconds(server.held_ms),
                       ": ", server.watch_ended),
          "raise what cuts it: nginx grpc_read_timeout 1h, HAProxy timeout server and timeout "
          "tunnel 1h; seatlockd pings every 30 s itself");
    }
  }
}

// --- store --------------------------------------------------------------------------------------

std::vector<const ProgramLook*> Services(const Facts& facts) {
  std::vector<const ProgramLook*> services;
  for (const ProgramLook& program : facts.look.programs) {
    if (program.error.empty() && !program.is_edge()) services.push_back(&program);
  }
  return services;
}

void CheckStoreOf(const ProgramLook& program, size_t services, Findings* findings) {
  const auto store = StoreOf(program);
  if (!store.has_value()) {
    return Add(findings, Level::kNote, "store",
               absl::StrCat(program.address, ": does not tell what store it has"),
               "seatlockd --print-config on its machine");
  }
  const std::string what = absl::StrCat(program.address, ": ", *store);
  if (services > 1 && !absl::StartsWith(*store, "redis")) {
    return Add(findings, Level::kWrong, "store",
               absl::StrCat(what,
                            ", a store of its own beside other servers: the same seat can be "
                            "sold twice"),
               "one --store=redis://... for all of them (docs/operating.md, Several servers)");
  }
  if (*store == "memory") {
    return Add(findings, Level::kWarn, "store", absl::StrCat(what, ": all is lost when it ends"),
               "--store=sqlite:/var/lib/seatlock/seatlock.db");
  }
  if (*store == "redis relaxed") {
    return Add(findings, Level::kWarn, "store",
               absl::StrCat(what, ": a crash of Redis may lose the last second of what was sold"),
               "profile=strict in --store, with the settings of deploy/redis");
  }
  Add(findings, Level::kOk, "store", what);
}

void CheckStore(const Facts& facts, Findings* findings) {
  const auto services = Services(facts);
  std::set<std::string> generations;
  for (const ProgramLook* program : services) {
    CheckStoreOf(*program, services.size(), findings);
    const auto generation =
        program->metrics.LabelOf("seatlock_store_generation_info", "generation");
    if (generation.has_value()) generations.insert(Clean(*generation));
  }
  const bool shared = std::all_of(services.begin(), services.end(), [](const auto* program) {
    return absl::StartsWith(StoreOf(*program).value_or(""), "redis");
  });
  if (generations.size() < 2 || !shared) return;
  Add(findings, Level::kWrong, "store",
      absl::StrCat("the servers see stores of different generations: ",
                   absl::StrJoin(generations, ", ")),
      "point all of them at the same Redis, then look at their logs");
}

// --- the way of browsers ------------------------------------------------------------------------

// What stands in the way of an upgrade, by the HTTP status that came in its place.
std::string MendUpgrade(const Facts& facts) {
  switch (facts.ws.status) {
    case 400:
    case 426:
      return "pass the upgrade on; nginx: proxy_http_version 1.1; proxy_set_header Upgrade "
             "$http_upgrade; proxy_set_header Connection \"upgrade\";";
    case 403:
      return "if pages of this host are yours, add it to the edge's --allowed-origins";
    case 404:
      return "the path is /ws/seat-updates; pass all of /ws/ on to the edge "
             "(deploy/nginx/seat-updates.conf)";
    case 429:
      return "too many from one address: if that is your proxy, add it to the edge's "
             "--trusted-proxies";
    case 502:
    case 504:
      return "the proxy does not reach the edge: compare its upstream with the edge's --listen, "
             "and "
             "look at seatctl status";
    case 503:
      return "the edge is full or drains, or the proxy finds none: seatctl status";
    default:
      return "this URL does not lead to an edge: see deploy/nginx/seat-updates.conf; if the proxy "
             "redirects to https, try wss://";
  }
}

void CheckForwarded(const Facts& facts, Findings* findings) {
  const std::string& server = facts.ws.server;
  if (server == kEdgeServer) {
    return Add(findings, Level::kNote, "proxy", "the URL leads to an edge without a proxy between",
               "to check the proxy, name its URL");
  }
  if (!facts.forwarded_trusted.has_value() || !facts.forwarded_untrusted.has_value()) {
    return Add(findings, Level::kNote, "proxy",
               "no edge told whether the proxy's X-Forwarded-For is trusted",
               "name the edges' admin listeners with --admin");
  }
  const std::string mend =
      "add the proxy's address to the edge's --trusted-proxies; without it all of its clients "
      "count "
      "as one address";
  if (*facts.forwarded_untrusted > 0) {
    return Add(findings, Level::kWrong, "proxy",
               "X-Forwarded-For came from a proxy that the edge does not trust", mend);
  }
  if (*facts.forwarded_trusted > 0) {
    return Add(findings, Level::kOk, "proxy",
               "X-Forwarded-For comes, and the edge trusts the proxy");
  }
  Add(findings, Level::kWrong, "proxy", "no X-Forwarded-For reached the edges that were asked",
      "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; and --trusted-proxies at the "
      "edge; or name with --admin the edge that this URL leads to");
}

void CheckProxy(const Facts& facts, Findings* findings) {
  if (facts.ws_url.empty()) {
    return Add(findings, Level::kNote, "proxy", "no WebSocket was tried",
               "seatctl doctor --ws=wss://YOUR.SITE/ws/seat-updates");
  }
  const std::string url = Clean(facts.ws_url);
  if (!facts.ws.error.empty()) {
    return Add(findings, Level::kWrong, "proxy", absl::StrCat(url, ": ", facts.ws.error),
               facts.ws.status == 0
                   ? "see whether the proxy runs, and its certificate fits the name"
                   : MendUpgrade(facts));
  }
  if (!absl::StrContains(facts.ws.first_message, "\"connection_established\"")) {
    return Add(findings, Level::kWrong, "proxy",
               absl::StrCat(url, ": a WebSocket, but no edge: ", facts.ws.first_message),
               "pass /ws/ on to the edge");
  }
  const std::string server = facts.ws.server.empty() ? "" : absl::StrCat(", by ", facts.ws.server);
  Add(findings, Level::kOk, "proxy",
      absl::StrCat(url, ": the upgrade works (", facts.ws.opened_ms, " ms", server, ")"));
  CheckForwarded(facts, findings);
  if (!facts.ws.ended.empty()) {
    Add(findings, Level::kWrong, "proxy",
        absl::StrCat("an idle WebSocket was cut after ", Seconds(facts.ws.held_ms), ": ",
                     facts.ws.ended),
        "the edge pings every 20 s: nginx proxy_read_timeout, HAProxy timeout tunnel must be "
        "longer");
  } else if (facts.ws.held_ms > 0) {
    Add(findings, Level::kOk, "proxy",
        absl::StrCat("an idle WebSocket lasted ", Seconds(facts.ws.held_ms), ", ", facts.ws.pings,
                     " pings came"));
  }
}

// --- the kernel of this machine -----------------------------------------------------------------

void CheckShare(const char* what, std::optional<int64_t> used, std::optional<int64_t> bound,
                const char* mend, Findings* findings) {
  if (!used.has_value() || !bound.has_value() || *bound <= 0) return;
  const Level level = ByShare(static_cast<double>(*used), static_cast<double>(*bound));
  Add(findings, level, "kernel", absl::StrCat(what, ": ", *used, " of ", *bound),
      level == Level::kOk ? "" : mend);
}

void CheckPorts(const Facts& facts, Findings* findings) {
  if (!facts.kernel.port_range.has_value()) return;
  const auto [low, high] = *facts.kernel.port_range;
  const int64_t ports = std::max<int64_t>(0, high - low + 1);
  double most = 0;
  for (const ProgramLook& program : facts.look.programs) {
    most = std::max(most, program.metrics.Sum("seatlock_edge_connections").value_or(0));
  }
  const Level level = ByShare(most, static_cast<double>(ports));
  Add(findings, level, "kernel",
      absl::StrCat("ports: a proxy here can have ", ports,
                   " connections to one edge address; the "
                   "busiest edge has ",
                   Count(most)),
      level == Level::kOk ? ""
                          : "sysctl -w net.ipv4.ip_local_port_range='1024 65535'; then more edges, "
                            "or an edge on several addresses");
}

void CheckRedisHost(const Facts& facts, Findings* findings) {
  const auto services = Services(facts);
  const bool uses_redis = std::any_of(services.begin(), services.end(), [](const auto* program) {
    return absl::StartsWith(StoreOf(*program).value_or(""), "redis");
  });
  if (!facts.kernel.redis_here) {
    if (uses_redis) {
      Add(findings, Level::kNote, "kernel", "Redis does not run on this machine",
          "run seatctl doctor on its machine, too");
    }
    return;
  }
  if (facts.kernel.overcommit_memory.has_value()) {
    const bool good = *facts.kernel.overcommit_memory == 1;
    Add(findings, good ? Level::kOk : Level::kWarn, "kernel",
        absl::StrCat("Redis runs here: vm.overcommit_memory is ", *facts.kernel.overcommit_memory,
                     good ? "" : ", so it may fail to rewrite its AOF when memory is short"),
        good ? "" : "sysctl -w vm.overcommit_memory=1");
  }
  if (facts.kernel.huge_pages == "always") {
    Add(findings, Level::kNote, "kernel",
        "Redis runs here: transparent huge pages are on; it turns them off for itself unless "
        "disable-thp is no",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
  }
}

void CheckKernel(const Facts& facts, Findings* findings) {
  const KernelFacts& kernel = facts.kernel;
  if (kernel.somaxconn.has_value()) {
    const bool good = *kernel.somaxconn >= kSomaxconnMin;
    Add(findings, good ? Level::kOk : Level::kWarn, "kernel",
        absl::StrCat("somaxconn: ", *kernel.somaxconn,
                     " connections wait at most until they are "
                     "accepted"),
        good ? "" : "sysctl -w net.core.somaxconn=65535, then restart the edge");
  }
  CheckPorts(facts, findings);
  CheckShare("tracked connections (nf_conntrack)", kernel.conntrack_count, kernel.conntrack_max,
             "sysctl -w net.netfilter.nf_conntrack_max=1048576", findings);
  CheckShare("pages of TCP memory, before it is short", kernel.tcp_mem_used_pages,
             kernel.tcp_mem_pressure_pages,
             "raise net.ipv4.tcp_mem, or look for readers that take nothing "
             "(seatlock_edge_connections_blocked)",
             findings);
  CheckShare("open files of the whole machine", kernel.files_used, kernel.files_max,
             "sysctl -w fs.file-max=2097152", findings);
  CheckRedisHost(facts, findings);
}

struct Named {
  const char* word;
  const char* sgr;
};
Named NameOf(Level level) {
  switch (level) {
    case Level::kOk:
      return {"ok", "32"};
    case Level::kNote:
      return {"note", "36"};
    case Level::kWarn:
      return {"warn", "33"};
    case Level::kWrong:
      break;
  }
  return {"wrong", "1;31"};
}

}  // namespace

std::vector<Finding> Diagnose(const Facts& facts) {
  Findings findings;
  CheckUp(facts, &findings);
  CheckVersions(facts, &findings);
  CheckStore(facts, &findings);
  CheckClock(facts, &findings);
  CheckDescriptors(facts, &findings);
  CheckKeepalive(facts, &findings);
  CheckProxy(facts, &findings);
  CheckKernel(facts, &findings);
  return findings;
}

bool AllRight(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.level == Level::kWrong; });
}

std::string FindingsText(const std::vector<Finding>& findings, bool color) {
  std::string text;
  std::map<Level, int> counts;
  for (const Finding& finding : findings) {
    ++counts[finding.level];
    const Named name = NameOf(finding.level);
    absl::StrAppend(&text, Paint(PadRight(name.word, 5), name.sgr, color), "  ",
                    PadRight(finding.check, 11), "  ", finding.what, "\n");
    if (!finding.mend.empty())
      absl::StrAppend(&text, std::string(20, ' '), "-> ", finding.mend, "\n");
  }
  absl::StrAppend(&text, counts[Level::kWrong], " wrong, ", counts[Level::kWarn], " to look at, ",
                  counts[Level::kNote], " not seen, ", counts[Level::kOk], " ok\n");
  return text;
}

std::string FindingsJson(const std::vector<Finding>& findings) {
  json::array all;
  for (const Finding& finding : findings) {
    all.push_back(json::object{{"level", NameOf(finding.level).word},
                               {"check", finding.check},
                               {"what", finding.what},
                               {"mend", OrNull(finding.mend)}});
  }
  return json::serialize(json::object{{"ok", AllRight(findings)}, {"findings", std::move(all)}}) +
         "\n";
}

}  // namespace seatlock::cli::operate
