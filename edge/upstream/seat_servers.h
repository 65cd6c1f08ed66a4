// The servers of the seat service: those that the options name, and every address of a name among
// them. Names are looked up at the start, then every half minute, and sooner if a server is away or
// a name can't be found; lookups run on threads of their own (resolver.h).
//
// A server that a name no longer stands for stays in the list until it is away: an answer of DNS
// may be a part of the truth, and a server that serves is worth keeping. While a name can't be
// found what it stood for last stands.
//
// Several servers are asked for their health all the time; an only one is not (seat_server.h).
// Strand-bound; lives in a shared_ptr, because timers and lookups hold it weakly. The constructor
// may run before the strand does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "common/base/gate.h"
#include "edge/upstream/options.h"
#include "edge/upstream/seat_server.h"
#include "edge/upstream/server_board.h"

namespace seatlock::edge {

class SeatServers final : private SeatServer::Host,
                          public std::enable_shared_from_this<SeatServers> {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // The list or the state of a server has changed, or the first lookup has failed. `back`, if it
    // is not null, serves from now on. Called in a loop over all listeners: neither adds nor
    // removes any, and tells no sink.
    virtual void OnServers(const SeatServer* back) = 0;
  };
  using List = std::vector<std::shared_ptr<SeatServer>>;

  // `options` outlives it, and so does all that they point at until Stop().
  SeatServers(const UpstreamOptions& options, std::shared_ptr<base::Gate> calls);

  // Begins to look up names, and to ask for health if there are several. Once, after construction.
  void Start();
  // Asks nothing any more.
  void Stop();
  // From now on nobody is told whether servers are there.
  void Silence();

  const List& all() const { return list_; }
  bool several() const { return list_.size() > 1; }
  // Another number for each list.
  uint64_t version() const { return version_; }
  // Whether there are none because the names are still being looked up for the first time.
  bool pending() const;
  // What the streams on the only server say of it; nothing if there are several.
  void Saw(bool up);

  void Add(Listener* listener) { listeners_.insert(listener); }
  void Remove(Listener* listener) { listeners_.erase(listener); }

  std::vector<ServerStatus> Read() const { return board_.Read(); }

 private:
  struct Target {
    std::string text;  // host:port
    std::string host;
    std::string port;
    bool is_name = false;
    bool looking = false;
    bool answered = false;               // Once at least.
    bool failed = false;                 // The last time.
    std::vector<std::string> addresses;  // Of a name: address:port each, in order.
  };
  struct Wanted {
    std::string address;
    std::string authority;
  };

  void OnState(SeatServer& server) override;

  void LookUp();
  void LookUp(size_t target);
  void OnAddresses(size_t target, absl::StatusOr<std::vector<std::string>> found);
  void LookLater();
  void LookSoon();
  bool AllIsWell() const;

  std::vector<Wanted> WantedServers() const;
  void Rebuild();
  void TellAll(const SeatServer* back);

  const UpstreamOptions& options_;
  const std::shared_ptr<base::Gate> calls_;
  ServerBoard board_;
  std::vector<Target> targets_;
  List list_;
  std::vector<std::string> wanted_;  // Addresses, in order; list_ may have more.
  uint64_t version_ = 0;
  absl::flat_hash_set<Listener*> listeners_;
  int64_t look_pause_ms_ = 0;
  uint64_t look_number_ = 0;  // Timers with another one do nothing.
};

}  // namespace seatlock::edge
