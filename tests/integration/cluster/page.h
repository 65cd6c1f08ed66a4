// A page in a browser that follows one showtime through a list of edges: where its connection ends
// it goes to the next edge and resumes by its position. It objects to a hole, to a change that
// comes twice, and to a snapshot after the first one.
//
// Run() is the body of a thread; the getters without a note are for after it, the others
// thread-safe.
#pragma once

#include <atomic>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "seatlock/v1/seatlock_service.pb.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {

class Page {
 public:
  // What a frame told of one seat.
  struct Shown {
    int64_t revision = 0;
    std::string seat;
    std::string status;
    std::string cause;
    friend bool operator==(const Shown&, const Shown&) = default;
  };

  // `edges`: "127.0.0.1:PORT" each. Connects to the first.
  Page(std::string showtime, std::vector<std::string> edges)
      : showtime_(std::move(showtime)), edges_(std::move(edges)) {}

  // Ends once the page stands at the revision of FinishAt, or after GiveUp, or with a problem.
  void Run();

  // It leaves its edge and resumes at the next one. Thread-safe.
  void Leave() { leave_ = true; }
  void FinishAt(int64_t revision) { last_revision_ = revision; }  // thread-safe
  void GiveUp() { given_up_ = true; }                             // thread-safe
  int64_t revision() const { return revision_; }                  // thread-safe
  // It has seen all that it should, or has a problem. Thread-safe.
  bool ended() const { return ended_; }
  bool opened() const { return opened_; }  // thread-safe

  const std::string& showtime() const { return showtime_; }
  const std::string& problem() const { return problem_; }
  // The revision of its first picture.
  int64_t first_revision() const { return first_revision_; }
  int visits() const { return visits_; }
  int resumed() const { return resumed_; }
  int snapshots() const { return snapshots_; }
  // How often it was told that what it sees may be old.
  int stale() const { return stale_; }
  const std::vector<Shown>& shown() const { return shown_; }

  // What a page is shown of the changes after `revision`.
  static std::vector<Shown> ShownOf(const std::vector<v1::Change>& changes, int64_t revision);

 private:
  bool Done() const {
    return given_up_ || !problem_.empty() || (last_revision_ >= 0 && revision_ >= last_revision_);
  }
  void Visit(const std::string& edge);
  void Take(const boost::json::object& frame);
  // A showtime gets its epoch with its first change.
  void LearnEpoch(const boost::json::object& frame);
  void TakeSubscribed(const boost::json::object& frame);
  void TakeSnapshot(const boost::json::object& frame);
  void TakeChange(const boost::json::object& frame);
  void Object(const std::string& why, const boost::json::object& frame);

  const std::string showtime_;
  const std::vector<std::string> edges_;
  std::string epoch_;
  std::vector<Shown> shown_;
  std::string problem_;
  int64_t first_revision_ = 0;
  int visits_ = 0;
  int resumed_ = 0;
  int snapshots_ = 0;
  int stale_ = 0;
  std::atomic<int64_t> revision_ = 0;
  std::atomic<int64_t> last_revision_ = -1;
  std::atomic<bool> opened_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> leave_ = false;
  std::atomic<bool> given_up_ = false;
};

}  // namespace seatlock::testing
