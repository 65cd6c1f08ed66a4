#include "clients/cpp/servers.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cpp/credentials.h"
#include "clients/cpp/limits.h"
#include "clients/cpp/outcome.h"
#include "common/base/rendezvous.h"
#include "common/base/server_list.h"
#include "seatlock/call_error.h"

namespace seatlock::client {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

grpc::ChannelArguments ChannelArgs(bool own_connection) {
  grpc::ChannelArguments args;
  if (own_connection) args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // This client retries by itself: see service_config.h.
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A watch may be idle; the service permits pings every 10 s (and answers faster than this).
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  // gRPC's own pauses grow from 1 s to 2 minutes, far beyond a restart of the service.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // This bounds an attempt to connect, too.
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(kConnectMax.count()));
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  return args;
}

}  // namespace

void Hurry(const Server& server) {
  if (server.channel->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_TRANSIENT_FAILURE) {
    grpc::experimental::ChannelResetConnectionBackoff(server.channel.get());
  }
}

absl::Status Connect(const Server& server, Clock::time_point until) {
  Hurry(server);
  const Clock::time_point start = Clock::now();
  bool old_failure = true;  // of an attempt before this one
  while (true) {
    const grpc_connectivity_state state = server.channel->GetState(/*try_to_connect=*/true);
    const bool failed = state == GRPC_CHANNEL_TRANSIENT_FAILURE;
    if (state == GRPC_CHANNEL_READY) return absl::OkStatus();
    if (!failed) old_failure = false;
    const auto left =
        std::min(until, start + (failed ? kReconnectMax : kConnectMax)) - Clock::now();
    // On the wall clock, which WaitForStateChange wants.
    const auto deadline = std::chrono::system_clock::now() + left;
    if ((failed && !old_failure) || left <= left.zero() ||
        !server.channel->WaitForStateChange(state, deadline)) {
      return WithNothingDone(absl::UnavailableError("cannot connect"));
    }
  }
}

std::shared_ptr<Servers> Servers::Make(ServersOptions options) {
  return std::shared_ptr<Servers>(new Servers(std::move(options)));
}

Servers::Servers(ServersOptions options)
    : options_(std::move(options)),
      credentials_(CredentialsOf(options_.tls)),
      has_names_(std::any_of(options_.list.begin(), options_.list.end(), &base::IsNamedServer)),
      known_(!has_names_),
      known_by_(Clock::time_point::max()) {
  base::MutexLock lock(mu_);
  Replace(options_.list);
}

size_t Servers::size() const {
  base::MutexLock lock(mu_);
  return entries_.size();
}

bool Servers::AddressesKnown() {
  base::MutexLock lock(mu_);
  const Clock::time_point now = Clock::now();
  LookUpNames(now);
  return known_ || now >= known_by_;
}

void Servers::AwaitAddresses(Clock::time_point until) {
  base::MutexLock lock(mu_);
  LookUpNames(Clock::now());
  const Clock::time_point end = std::min(until, known_by_);
  while (!known_ && Clock::now() < end) {
    known_wake_.WaitFor(mu_, std::chrono::ceil<milliseconds>(end - Clock::now()));
  }
}

Servers::Choice Servers::Choose(std::string_view showtime) {
  base::MutexLock lock(mu_);
  const Clock::time_point now = Clock::now();
  LookUpNames(now);
  const std::vector<Entry*> ranked = Ranked(showtime);
  auto chosen = std::find_if(ranked.begin(), ranked.end(),
                             [now](Entry* entry) { return entry->state.Ask(now); });
  const bool away = chosen == ranked.end();
  if (away) {
    chosen = std::min_element(ranked.begin(), ranked.end(),
                              [](Entry* a, Entry* b) { return a->asked < b->asked; });
  }
  (*chosen)->asked = ++choices_;
  return {.server = (*chosen)->server, .away = away};
}

void Servers::Answered(const Server& server) {
  base::MutexLock lock(mu_);
  if (Entry* const entry = Find(server.address)) entry->state.Answered();
}

void Servers::Failed(const Server& server, milliseconds asked_for) {
  base::MutexLock lock(mu_);
  if (Entry* const entry = Find(server.address)) entry->state.Failed(Clock::now(), asked_for);
  look_up_at_ = std::min(look_up_at_, looked_up_at_ + kLookUpEveryWhileAway);
}

bool Servers::BetterIsBack(std::string_view showtime, const Server& current) {
  base::MutexLock lock(mu_);
  const Clock::time_point now = Clock::now();
  LookUpNames(now);
  for (Entry* const entry : Ranked(showtime)) {
    if (entry->server->address == current.address) return false;
    if (!entry->state.MayBeAsked(now)) continue;
    if (entry->server->channel->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY)
      return true;
  }
  return false;
}

std::vector<Servers::Entry*> Servers::Ranked(std::string_view showtime) {
  std::vector<Entry*> ranked;
  for (const size_t place : base::RankServers(addresses_, showtime)) {
    ranked.push_back(&entries_[place]);
  }
  return ranked;
}

Servers::Entry* Servers::Find(const std::string& address) {
  const auto found = std::find(addresses_.begin(), addresses_.end(), address);
  return found == addresses_.end() ? nullptr : &entries_[found - addresses_.begin()];
}

std::shared_ptr<const Server> Servers::Connected(const std::string& address) {
  grpc::ChannelArguments args = ChannelArgs(options_.own_connections);
  const auto name = names_.find(address);
  SetServerName(options_.tls, name == names_.end() ? "" : name->second, &args);
  auto channel = grpc::CreateCustomChannel(address, credentials_, args);
  std::shared_ptr<v1::SeatLockService::Stub> stub = v1::SeatLockService::NewStub(channel);
  return std::make_shared<const Server>(Server{address, std::move(channel), std::move(stub)});
}

void Servers::Replace(const std::vector<std::string>& addresses) {
  std::vector<Entry> entries;
  for (const std::string& address : addresses) {
    if (Entry* const known = Find(address)) {
      entries.push_back(std::move(*known));
    } else {
      entries.push_back({Connected(address), ServerState(options_.away, options_.trial_max)});
    }
  }
  entries_ = std::move(entries);
  addresses_ = addresses;
}

void Servers::LookUpNames(Clock::time_point now) {
  if (!has_names_ || looking_up_ || now < look_up_at_) return;
  looking_up_ = true;
  looked_up_at_ = now;
  known_by_ = std::min(known_by_, now + kLookUpWaitMax);
  // Alone, for nobody can end a look-up: not even the last owner of this waits for it.
  auto work = [self = weak_from_this(), list = options_.list, look_up = options_.look_up] {
    std::map<std::string, std::vector<std::string>> found;
    for (const std::string& server : list) {
      if (!base::IsNamedServer(server)) continue;
      absl::StatusOr<std::vector<std::string>> addresses = look_up(server);
      if (addresses.ok()) found[server] = *std::move(addresses);
    }
    if (const std::shared_ptr<Servers> servers = self.lock()) servers->LookedUp(found);
  };
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error&) {  // no thread to be had: later
    looking_up_ = false;
    look_up_at_ = now + kLookUpEveryWhileAway;
  }
}

void Servers::LookedUp(const std::map<std::string, std::vector<std::string>>& found) {
  base::MutexLock lock(mu_);
  for (const auto& [name, addresses] : found) found_[name] = addresses;
  names_.clear();
  for (const auto& [name, addresses] : found_) {
    for (const std::string& address : addresses) names_.emplace(address, name);
  }
  std::vector<std::string> servers;
  std::set<std::string> seen;
  const auto add = [&](const std::string& server) {
    if (servers.size() < kServersMax && seen.insert(server).second) servers.push_back(server);
  };
  for (const std::string& server : options_.list) {
    const auto addresses = found_.find(server);
    const size_t known = addresses == found_.end() ? 0 : addresses->second.size();
    if (known == 0 || (known == 1 && options_.list.size() == 1)) {
      add(server);
    } else {
      std::for_each(addresses->second.begin(), addresses->second.end(), add);
    }
  }
  Replace(servers);
  looking_up_ = false;
  known_ = true;
  look_up_at_ = looked_up_at_ + kLookUpEvery;
  known_wake_.NotifyAll();
}

}  // namespace seatlock::client
