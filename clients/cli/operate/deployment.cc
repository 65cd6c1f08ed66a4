#include "clients/cli/operate/deployment.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/operate/http.h"
#include "clients/cli/operate/text.h"
#include "clients/cpp/health.h"
#include "common/base/host_port.h"
#include "common/base/rendezvous.h"

namespace seatlock::cli::operate {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr int kHttpOk = 200;
constexpr int kHttpUnavailable = 503;
// Lines of /readyz below its first: one a server of the edge's list.
constexpr size_t kDetailsMax = base::kServersMax;

std::string TextField(const boost::json::value& object, const char* name) {
  const boost::json::value* field =
      object.is_object() ? object.as_object().if_contains(name) : nullptr;
  if (field == nullptr || !field->is_string()) return "";
  return Clean({field->as_string().data(), field->as_string().size()});
}

// What another server on this port would answer.
std::string NoPage(const char* path, int status) {
  return absl::StrCat("HTTP ", status, " for ", path, ": no admin listener of SeatLock");
}

std::string AskAll(const base::HostPort& where, Deadline deadline, ProgramLook* look) {
  auto version = HttpGet(where, "/version", deadline);
  if (!version.ok()) return std::string(version.status().message());
  if (version->status != kHttpOk) return NoPage("/version", version->status);
  TakeVersion(version->body, look);
  if (look->program.empty()) return "what /version says is not SeatLock's";
  auto ready = HttpGet(where, "/readyz", deadline);
  if (!ready.ok()) return std::string(ready.status().message());
  if (ready->status != kHttpOk && ready->status != kHttpUnavailable) {
    return NoPage("/readyz", ready->status);
  }
  TakeReady(ready->status, ready->body, look);
  return "";
}

void AskMetrics(const base::HostPort& where, Deadline deadline, ProgramLook* look) {
  auto page = HttpGet(where, "/metrics", deadline);
  if (!page.ok() || page->status != kHttpOk) {
    look->metrics_error = page.ok() ? NoPage("/metrics", page->status)
                                    : absl::StrCat("/metrics: ", page.status().message());
    return;
  }
  auto samples = ParsePrometheus(page->body);
  if (samples.ok()) {
    look->metrics = *std::move(samples);
  } else {
    look->metrics_error = absl::StrCat("/metrics: ", samples.status().message());
  }
}

void LookAtProgram(Deadline deadline, ProgramLook* look) {
  const auto where = base::ParseHostPort(look->address);
  if (!where.ok()) {
    look->error = std::string(where.status().message());
    return;
  }
  look->error = AskAll(*where, deadline, look);
  if (look->error.empty()) AskMetrics(*where, deadline, look);
}

void LookAtServer(milliseconds timeout, const std::optional<client::TlsOptions>& tls,
                  ServerLook* look) {
  const absl::Status health = client::CheckHealth(look->address, timeout, tls);
  look->serving = health.ok();
  look->answered = health.ok() || absl::IsFailedPrecondition(health);
  if (!health.ok()) look->text = Clean(std::string(health.message()));
}

}  // namespace

bool Look::AllWell() const {
  return std::all_of(programs.begin(), programs.end(), [](const auto& p) { return p.well(); }) &&
         std::all_of(servers.begin(), servers.end(), [](const auto& s) { return s.serving; });
}

Look LookAt(const std::vector<std::string>& admins, const std::vector<std::string>& servers,
            const std::optional<client::TlsOptions>& tls, milliseconds timeout) {
  Look look;
  const auto now = std::chrono::steady_clock::now();
  look.monotonic_ms = duration_cast<milliseconds>(now.time_since_epoch()).count();
  look.unix_ms =
      duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  for (const std::string& each : admins) look.programs.emplace_back().address = each;
  for (const std::string& each : servers) look.servers.emplace_back().address = each;
  // A thread each, as many as kAdminsMax and kServersMax allow, for as long as a look lasts.
  std::vector<std::thread> threads;
  for (ProgramLook& program : look.programs) {
    threads.emplace_back([&program, now, timeout] { LookAtProgram(now + timeout, &program); });
  }
  for (ServerLook& server : look.servers) {
    threads.emplace_back([&server, &tls, timeout] { LookAtServer(timeout, tls, &server); });
  }
  for (std::thread& thread : threads) thread.join();
  return look;
}

void TakeVersion(const std::string& body, ProgramLook* look) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(body, error);
  if (error) return;
  look->program = TextField(value, "program");
  look->version = TextField(value, "version");
  look->revision = TextField(value, "revision");
}

void TakeReady(int status, const std::string& body, ProgramLook* look) {
  look->ready = status == kHttpOk;
  for (const absl::string_view line : absl::StrSplit(body, '\n', absl::SkipEmpty())) {
    const std::string clean = Clean({line.data(), line.size()});
    if (look->ready_text.empty()) {
      look->ready_text = clean;
    } else if (look->details.size() < kDetailsMax) {
      look->details.push_back(clean);
    }
  }
}

}  // namespace seatlock::cli::operate
