#include "edge/upstream/seat_servers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/look_up.h"
#include "edge/limits.h"

namespace seatlock::edge {
namespace {

std::string AddressOf(const std::string& host, const std::string& port) {
  const bool v6 = host.find(':') != std::string::npos;
  return v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

}  // namespace

SeatServers::SeatServers(const UpstreamOptions& options, std::shared_ptr<base::Gate> calls)
    : options_(options), calls_(std::move(calls)) {
  for (const std::string& text : options_.targets) {
    const size_t colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const bool is_name = !base::IsHostAddress(host);
    targets_.push_back({.text = text,
                        .host = std::move(host),
                        .port = text.substr(colon + 1),
                        .is_name = is_name,
                        .addresses = {}});
  }
}

void SeatServers::Start() {
  Rebuild();
  LookUp();
}

void SeatServers::Stop() {
  ++look_number_;
  listeners_.clear();
  for (const auto& server : list_) server->GiveUp();
}

void SeatServers::Silence() {
  for (const auto& server : list_) server->Silence();
}

bool SeatServers::pending() const {
  return list_.empty() && std::any_of(targets_.begin(), targets_.end(),
                                      [](const Target& one) { return !one.answered; });
}

void SeatServers::Saw(bool up) {
  if (list_.size() != 1) return;
  const std::shared_ptr<SeatServer> only = list_.front();
  only->Saw(up);
}

void SeatServers::TellAll(const SeatServer* back) {
  for (Listener* listener : listeners_) listener->OnServers(back);
}

void SeatServers::OnState(SeatServer& server) {
  const bool is_wanted =
      std::find(wanted_.begin(), wanted_.end(), server.address()) != wanted_.end();
  if (server.state() == ServerState::kAway) {
    if (!is_wanted) Rebuild();
    LookSoon();
  }
  if (server.asked()) TellAll(server.serving() ? &server : nullptr);
}

// ---- Names -------------------------------------------------------------------------------------

void SeatServers::LookUp() {
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].is_name && !targets_[i].looking) LookUp(i);
  }
}

// The answer may come when this, or the strand, is gone.
void SeatServers::LookUp(size_t target) {
  targets_[target].looking = true;
  options_.resolver->Resolve(targets_[target].host,
                             [weak = weak_from_this(), calls = calls_, executor = options_.executor,
                              target](absl::StatusOr<std::vector<std::string>> found) {
                               if (!calls->Enter()) return;
                               executor->Post([weak, target, found = std::move(found)]() mutable {
                                 if (const auto self = weak.lock())
                                   self->OnAddresses(target, std::move(found));
                               });
                               calls->Leave();
                             });
}

void SeatServers::OnAddresses(size_t target, absl::StatusOr<std::vector<std::string>> found) {
  Target& name = targets_[target];
  if (found.ok() && found->empty()) found = absl::UnavailableError("it has no address");
  const bool failed = !found.ok();
  if (failed != name.failed && options_.on_name) {
    options_.on_name(name.text, failed ? std::string(found.status().message()) : "");
  }
  name.looking = false;
  name.answered = true;
  name.failed = failed;
  if (!failed) {
    name.addresses.clear();
    for (const std::string& host : *found) name.addresses.push_back(AddressOf(host, name.port));
    std::sort(name.addresses.begin(), name.addresses.end());
  }
  Rebuild();
  if (list_.empty()) TellAll(nullptr);  // Who waits for the first lookup hears that it failed.
  LookLater();
}

bool SeatServers::AllIsWell() const {
  return std::none_of(targets_.begin(), targets_.end(),
                      [](const Target& one) { return one.failed; }) &&
         std::all_of(list_.begin(), list_.end(),
                     [](const auto& server) { return server->state() != ServerState::kAway; });
}

// Sooner, with growing pauses, while something is amiss.
void SeatServers::LookLater() {
  look_pause_ms_ =
      AllIsWell() ? kResolveMsMax : std::clamp(2 * look_pause_ms_, kResolveMsMin, kResolveMsMax);
  options_.timers->After(look_pause_ms_, [weak = weak_from_this(), number = ++look_number_] {
    const auto self = weak.lock();
    if (self && self->look_number_ == number) self->LookUp();
  });
}

void SeatServers::LookSoon() {
  const auto is_name = [](const Target& one) { return one.is_name; };
  if (look_pause_ms_ == 0 || std::none_of(targets_.begin(), targets_.end(), is_name)) return;
  look_pause_ms_ = 0;
  LookLater();
}

// ---- The list ----------------------------------------------------------------------------------

std::vector<SeatServers::Wanted> SeatServers::WantedServers() const {
  std::vector<Wanted> wanted;
  absl::flat_hash_set<std::string> known;
  const auto add = [&](const std::string& address, const std::string& authority) {
    if (wanted.size() < kServersMax && known.insert(address).second) {
      wanted.push_back({address, authority});
    }
  };
  for (const Target& target : targets_) {
    if (!target.is_name) add(target.text, "");
    for (const std::string& address : target.addresses) add(address, target.text);
  }
  return wanted;
}

// Tells listeners if the list is another one.
void SeatServers::Rebuild() {
  List next;
  wanted_.clear();
  for (const Wanted& wanted : WantedServers()) {
    wanted_.push_back(wanted.address);
    const auto have = std::find_if(list_.begin(), list_.end(), [&](const auto& server) {
      return server->address() == wanted.address;
    });
    next.push_back(have != list_.end()
                       ? *have
                       : std::make_shared<SeatServer>(wanted.address, wanted.authority, options_,
                                                      calls_, static_cast<Host&>(*this)));
  }
  for (const auto& server : list_) {
    if (std::find(next.begin(), next.end(), server) != next.end()) continue;
    const bool keep = server->state() != ServerState::kAway && next.size() < kServersMax;
    if (keep) next.push_back(server);
    if (!keep) server->GiveUp();
  }
  if (next == list_) return;
  list_ = std::move(next);
  ++version_;
  if (several()) {
    for (const auto& server : list_) server->AskForHealth();
  }
  std::vector<std::shared_ptr<const ServerEntry>> entries;
  for (const auto& server : list_) entries.push_back(server->entry());
  board_.Set(std::move(entries));
  TellAll(nullptr);
}

}  // namespace seatlock::edge
