// Those who only look on, each on a thread of its own: pages in browsers behind edges, and watches
// of the C++ client. Judges what they were shown by the final log. Thread-compatible.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "seatlock/client.h"
#include "tests/integration/cluster/page.h"
#include "tests/testing/eventually.h"
#include "tests/testing/showtime_view.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {

class Pages {
 public:
  ~Pages() {
    for (const auto& page : pages_) page->GiveUp();
    Join();
  }

  // Starts at once, and begins with the first of `edges`.
  Page& Add(const std::string& showtime, std::vector<std::string> edges) {
    pages_.push_back(std::make_unique<Page>(showtime, std::move(edges)));
    Page& page = *pages_.back();
    threads_.emplace_back([&page] { page.Run(); });
    return page;
  }
  const std::vector<std::unique_ptr<Page>>& all() const { return pages_; }

  // Whether each has its first picture.
  bool AllOpened() {
    return Eventually([this] {
      return std::all_of(pages_.begin(), pages_.end(),
                         [](const auto& page) { return page->opened(); });
    });
  }

  // Once nothing moves: each page of `showtime` ends with `log`, and has seen each change of it
  // after its first picture once, and that picture alone.
  void Judge(const std::string& showtime, const std::vector<v1::Change>& log) {
    const auto last = static_cast<int64_t>(log.size());
    for (size_t i = 0; i < pages_.size(); ++i) {
      Page& page = *pages_[i];
      if (page.showtime() != showtime) continue;
      SCOPED_TRACE(absl::StrCat("page ", i, " of ", showtime));
      page.FinishAt(last);
      EXPECT_TRUE(Eventually([&] { return page.ended(); })) << page.revision();
      page.GiveUp();
      threads_[i].join();
      EXPECT_EQ(page.problem(), "");
      EXPECT_EQ(page.snapshots(), 1);
      EXPECT_EQ(page.revision(), last);
      EXPECT_TRUE(page.shown() == Page::ShownOf(log, page.first_revision()));
    }
  }

 private:
  void Join() {
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<std::thread> threads_;  // of pages_, by index
};

// Follows a showtime through the C++ client, from its first change.
class ClientFollower {
 public:
  ClientFollower(client::Client& client, std::string showtime) : showtime_(std::move(showtime)) {
    v1::WatchShowtimeRequest request;
    request.set_showtime_id(showtime_);
    request.mutable_resume();  // revision 0: the whole history
    watch_ = client.WatchShowtime(request);
    thread_ = std::thread([this] { Run(); });
  }
  ~ClientFollower() {
    watch_->Cancel();
    if (thread_.joinable()) thread_.join();
  }

  const std::string& showtime() const { return showtime_; }
  uint64_t revision() const { return revision_; }  // thread-safe

  // Once nothing moves: it has seen `log`, word for word, and no snapshot.
  void Judge(const std::vector<v1::Change>& log) {
    EXPECT_TRUE(Eventually([&] { return revision_ >= log.size(); })) << revision_;
    watch_->Cancel();
    thread_.join();
    EXPECT_EQ(problem_, "");
    EXPECT_EQ(view_.snapshots(), 0);
    ASSERT_EQ(view_.changes().size(), log.size());
    for (size_t i = 0; i < log.size(); ++i) {
      EXPECT_EQ(view_.changes()[i].SerializeAsString(), log[i].SerializeAsString());
    }
  }

 private:
  void Run() {
    while (problem_.empty()) {
      const auto event = watch_->Next(std::chrono::seconds(60));
      if (absl::IsCancelled(event.status())) return;
      if (!event.ok()) {
        if (!absl::IsDeadlineExceeded(event.status())) problem_ = event.status().ToString();
        continue;
      }
      v1::WatchShowtimeResponse message;
      if (const auto* snapshot = std::get_if<v1::ShowtimeSnapshot>(&*event)) {
        *message.mutable_snapshot() = *snapshot;
      } else if (const auto* change = std::get_if<v1::Change>(&*event)) {
        *message.mutable_change() = *change;
      } else {
        continue;
      }
      const absl::Status taken = view_.Apply(message);
      if (!taken.ok()) problem_ = taken.ToString();
      revision_ = view_.revision();
    }
  }

  const std::string showtime_;
  std::unique_ptr<client::Watch> watch_;
  ShowtimeView view_;
  std::string problem_;
  std::atomic<uint64_t> revision_ = 0;
  std::thread thread_;
};

}  // namespace seatlock::testing
