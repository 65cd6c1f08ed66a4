// The servers of one store that a Client and its Watches share: which one a showtime prefers
// (common/base/rendezvous.h), which are away (server_state.h), and a connection to each.
//
// Who asks takes a server by Choose and then says what came of it by Answered or Failed. Nothing
// breaks if it says neither.
//
// A server is named by the text of its address in the list. A name there stands for all its
// addresses: each ADDRESS:PORT is a server, as the edge has it, so that both rank alike. A name
// that cannot be looked up is one server, and so is the only name of a list if it has one address;
// gRPC looks those up. Names are looked up on a thread of their own, at the first Choose and then
// every 30 s, sooner if a server is away; what is known is used meanwhile.
//
// Thread-safe. Shared: a Watch may outlive its Client.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cpp/backoff.h"
#include "clients/cpp/look_up.h"
#include "clients/cpp/server_state.h"
#include "common/base/mutex.h"
#include "seatlock/tls_options.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::client {

// Immutable; channel and stub are thread-safe.
struct Server {
  std::string address;
  std::shared_ptr<grpc::Channel> channel;
  std::shared_ptr<v1::SeatLockService::Stub> stub;
};

struct ServersOptions {
  // Not empty; checked (common/base/server_list.h), or one gRPC target.
  std::vector<std::string> list;
  // Checked (credentials.h); plaintext without it.
  std::optional<TlsOptions> tls = {};
  Backoff away{std::chrono::milliseconds(500), std::chrono::milliseconds(10'000)};
  // How long a caller may try a server that was away before another one may.
  std::chrono::milliseconds trial_max{4'000};
  LookUp look_up = SystemLookUp;
  // Connections that are shared with nobody. Without it all Servers of a process have one plaintext
  // connection to each address; those with TLS are never shared.
  bool own_connections = false;
};

class Servers : public std::enable_shared_from_this<Servers> {
 public:
  using Clock = std::chrono::steady_clock;

  // What to ask next.
  struct Choice {
    std::shared_ptr<const Server> server;
    bool away = false;  // so are all others: pause before you ask again
  };

  static std::shared_ptr<Servers> Make(ServersOptions options);

  // How many there are now; at least one. More than one: another one can be asked.
  size_t size() const;
  bool several() const { return size() > 1; }

  // False while the names are looked up for the first time: wait a little, then Choose is right for
  // the showtime. True at the latest after kLookUpWaitMax. Never blocks.
  bool AddressesKnown();
  // Blocks until AddressesKnown, not beyond `until`.
  void AwaitAddresses(Clock::time_point until);

  // The most preferred server that may be asked. If none may: the one that was not asked for the
  // longest time.
  Choice Choose(std::string_view showtime);
  void Answered(const Server& server);
  void Failed(const Server& server, std::chrono::milliseconds asked_for);

  // Whether the showtime prefers another server to `current`, and that one may be asked and is
  // connected. Connects to those that may be asked and are not.
  bool BetterIsBack(std::string_view showtime, const Server& current);

 private:
  struct Entry {
    std::shared_ptr<const Server> server;
    ServerState state;
    uint64_t asked = 0;  // the number of the last Choose that gave it out
  };

  explicit Servers(ServersOptions options);

  // The most preferred first.
  std::vector<Entry*> Ranked(std::string_view showtime) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Entry* Find(const std::string& address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Makes `addresses` the servers; what is known of those that stay stays.
  void Replace(const std::vector<std::string>& addresses) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::shared_ptr<const Server> Connected(const std::string& address)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Looks the names up, if it is time.
  void LookUpNames(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void LookedUp(const std::map<std::string, std::vector<std::string>>& found);

  const ServersOptions options_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  const bool has_names_;

  mutable base::Mutex mu_;
  base::CondVar known_wake_;
  std::vector<std::string> addresses_ ABSL_GUARDED_BY(mu_);  // of entries_, in the same order
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mu_);
  uint64_t choices_ ABSL_GUARDED_BY(mu_) = 0;
  // Names: what each stood for when it was last looked up with success.
  std::map<std::string, std::vector<std::string>> found_ ABSL_GUARDED_BY(mu_);
  // The name that each of those addresses was looked up from.
  std::map<std::string, std::string> names_ ABSL_GUARDED_BY(mu_);
  bool looking_up_ ABSL_GUARDED_BY(mu_) = false;
  bool known_ ABSL_GUARDED_BY(mu_);
  Clock::time_point looked_up_at_ ABSL_GUARDED_BY(mu_);  // when the last one began
  Clock::time_point look_up_at_ ABSL_GUARDED_BY(mu_);    // when the next one may begin
  Clock::time_point known_by_ ABSL_GUARDED_BY(mu_);      // when waiting for the first one ends
};

// Connects to `server` if that is not done yet. Unavailable, with the outcome "none", if it cannot
// be reached before `until` or within kConnectMax. Blocks.
absl::Status Connect(const Server& server, std::chrono::steady_clock::time_point until);

// If connecting to `server` failed before, tries again now, before gRPC's own pause of up to 2 s is
// over: the server may be back.
void Hurry(const Server& server);

}  // namespace seatlock::client
