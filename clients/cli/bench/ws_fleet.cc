#include "clients/cli/bench/ws_fleet.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/websocket.hpp>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "clients/cli/bench/limits.h"
#include "clients/cli/bench/stream_check.h"
#include "clients/cli/bench/ws_frame.h"
#include "clients/cli/bench/ws_url.h"
#include "clients/cpp/backoff.h"
#include "common/base/look_up.h"

namespace seatlock::cli::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kTick(5);
// A tick that comes this much late was late because the thread had too much to do.
constexpr milliseconds kTickLate(25);
constexpr milliseconds kPauseFirst(200);
constexpr milliseconds kPauseMax(5'000);
constexpr std::chrono::seconds kHandshakeMax(10);
// Of the addresses of one name.
constexpr size_t kEndpointsMax = 16;
constexpr size_t kFramesKnown = 1'024;
constexpr size_t kKnownBytesMax = 1'024;

int64_t WallUs() {
  return std::chrono::duration_cast<microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int64_t UsSince(Clock::time_point time) {
  return std::chrono::duration_cast<microseconds>(Clock::now() - time).count();
}

std::vector<tcp::endpoint> EndpointsOf(const WsUrl& url) {
  std::vector<std::string> hosts = {url.host};
  if (!base::IsHostAddress(url.host)) hosts = base::LookUpHost(url.host).value_or(hosts);
  std::vector<tcp::endpoint> endpoints;
  for (const std::string& host : hosts) {
    error_code wrong;
    const asio::ip::address address = asio::ip::make_address(host, wrong);
    if (!wrong && endpoints.size() < kEndpointsMax) endpoints.emplace_back(address, url.port);
  }
  return endpoints;
}

}  // namespace

// Everything but the atomics belongs to the one thread.
class WsFleet::Impl {
 public:
  Impl(const Options& options, const Names& names);
  ~Impl() { Stop(); }

  uint64_t connected() const { return connected_; }
  uint64_t changes() const { return changes_; }
  double late_share() const {
    return ticks_ == 0 ? 0 : static_cast<double>(late_ticks_) / static_cast<double>(ticks_);
  }
  Followers Finish(const std::vector<uint64_t>& revisions, milliseconds patience);

 private:
  class Socket;
  struct Browser;

  void Tick();
  void OpenDue(Clock::time_point now);
  void CutSome(Clock::time_point now);
  // A socket of `browser` is over: `why` it was, empty if it was cut on purpose.
  void Ended(Browser& browser, const std::string& why);
  void Take(Browser& browser, std::string_view text);
  void TakeSnapshot(Browser& browser, const WsFrame& frame);
  void TakeChange(Browser& browser, const WsFrame& frame);
  // The frame's parts. The same text comes to many browsers, and is read once.
  const WsFrame& Read(std::string_view text);
  bool AllHave() const;
  void Stop();

  const Options options_;
  const Names& names_;
  const WsUrl url_;
  const std::vector<tcp::endpoint> endpoints_;
  const Clock::time_point start_ = Clock::now();

  asio::io_context io_{1};
  asio::steady_timer timer_{io_};
  Clock::time_point tick_at_;
  std::vector<std::unique_ptr<Browser>> browsers_;
  // By their texts' hashes: some of the last frames, with their texts.
  std::vector<std::pair<std::string, WsFrame>> frames_{kFramesKnown};
  std::mt19937_64 random_{std::random_device()()};
  double cuts_due_ = 0;
  int64_t connecting_ = 0;
  Followers found_;
  std::vector<uint64_t> targets_;  // empty until Finish
  bool stopping_ = false;

  std::atomic<uint64_t> connected_{0};
  std::atomic<uint64_t> changes_{0};
  std::atomic<uint64_t> ticks_{0};
  std::atomic<uint64_t> late_ticks_{0};
  std::atomic<bool> caught_up_{false};
  std::thread thread_;
};

struct WsFleet::Impl::Browser {
  enum class State { kWaiting, kConnecting, kOpen, kOver };

  Browser(uint32_t the_showtime, Clock::time_point the_due)
      : showtime(the_showtime), due(the_due), open_at(the_due) {}

  const uint32_t showtime;
  const Clock::time_point due;  // when it is to be opened for the first time

  State state = State::kWaiting;
  Clock::time_point open_at;
  client::Backoff backoff{kPauseFirst, kPauseMax};
  std::shared_ptr<Socket> socket;
  bool cut = false;     // on purpose
  std::string refusal;  // what the edge said before the socket was closed for it
  int64_t opened_wall_us = 0;
  StreamCheck check;
  std::string epoch;
};

// One connection. Lives until its last handler has run; tells its browser when it is over, once.
class WsFleet::Impl::Socket : public std::enable_shared_from_this<Socket> {
 public:
  Socket(Impl& fleet, Browser& browser) : fleet_(fleet), browser_(browser), stream_(fleet.io_) {
    stream_.read_message_max(kFrameBytesMax);
  }

  void Open() {
    Layer().expires_after(kHandshakeMax);
    Layer().async_connect(fleet_.endpoints_,
                          [self = shared_from_this()](error_code failed, const tcp::endpoint&) {
                            if (failed)
                              return self->Over(absl::StrCat("connect: ", failed.message()));
                            self->Upgrade();
                          });
  }

  // Without a closing handshake, as a phone does that goes out of reach.
  void Cut() {
    error_code ignored;
    Layer().socket().close(ignored);
  }

 private:
  beast::tcp_stream& Layer() { return beast::get_lowest_layer(stream_); }

  void Upgrade() {
    error_code ignored;
    Layer().socket().set_option(tcp::no_delay(true), ignored);
    stream_.async_handshake(response_, fleet_.url_.Authority(), fleet_.url_.path,
                            [self = shared_from_this()](error_code failed) {
                              if (failed) return self->Over(self->Refusal(failed));
                              self->Subscribe();
                            });
  }

  std::string Refusal(const error_code& failed) const {
    if (failed != websocket::error::upgrade_declined) {
      return absl::StrCat("upgrade: ", failed.message());
    }
    return absl::StrCat("the edge refused the upgrade: HTTP ", response_.result_int());
  }

  void Subscribe() {
    Layer().expires_never();
    const std::string showtime = fleet_.names_.Showtime(browser_.showtime);
    const StreamCheck& check = browser_.check;
    text_ = check.heard() ? ResumeFrame(showtime, browser_.epoch, check.revision())
                          : SubscribeFrame(showtime);
    stream_.text(true);
    stream_.async_write(asio::buffer(text_),
                        [self = shared_from_this()](error_code failed, size_t) {
                          if (failed) return self->Over("subscribe: " + failed.message());
                          self->Next();
                        });
  }

  void Next() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code failed, size_t) {
      if (failed) return self->Over(self->CloseText(failed));
      const auto data = self->buffer_.data();
      self->fleet_.Take(self->browser_, {static_cast<const char*>(data.data()), data.size()});
      self->buffer_.consume(self->buffer_.size());
      self->Next();
    });
  }

  std::string CloseText(const error_code& failed) const {
    if (failed != websocket::error::closed) return failed.message();
    return absl::StrCat("closed with ", stream_.reason().code);
  }

  void Over(const std::string& why) {
    Cut();
    fleet_.Ended(browser_, why);
  }

  Impl& fleet_;
  Browser& browser_;
  websocket::stream<beast::tcp_stream, false> stream_;
  websocket::response_type response_;
  beast::flat_buffer buffer_;
  std::string text_;
};

WsFleet::Impl::Impl(const Options& options, const Names& names)
    : options_(options),
      names_(names),
      url_(*ParseWsUrl(options.url)),
      endpoints_(EndpointsOf(url_)),
      tick_at_(start_) {
  for (int64_t i = 0; i < options_.connections; ++i) {
    browsers_.push_back(
        std::make_unique<Browser>(static_cast<uint32_t>(i % options_.showtimes),
                                  start_ + microseconds(i * 1'000'000 / options_.ramp)));
  }
  asio::post(io_, [this] { Tick(); });
  thread_ = std::thread([this] { io_.run(); });
}

void WsFleet::Impl::Tick() {
  const Clock::time_point now = Clock::now();
  ++ticks_;
  if (now - tick_at_ > kTickLate) ++late_ticks_;
  OpenDue(now);
  CutSome(now);
  if (!targets_.empty()) caught_up_ = AllHave();
  tick_at_ = now + kTick;
  timer_.expires_at(tick_at_);
  timer_.async_wait([this](error_code failed) {
    if (!failed && !stopping_) Tick();
  });
}

void WsFleet::Impl::OpenDue(Clock::time_point now) {
  for (const std::unique_ptr<Browser>& browser : browsers_) {
    if (connecting_ >= kHandshakesMax) return;
    if (browser->state != Browser::State::kWaiting || browser->open_at > now) continue;
    browser->state = Browser::State::kConnecting;
    browser->opened_wall_us = WallUs();
    browser->socket = std::make_shared<Socket>(*this, *browser);
    browser->socket->Open();
    ++connecting_;
  }
}

void WsFleet::Impl::CutSome(Clock::time_point now) {
  if (!targets_.empty()) return;
  const double seconds = std::chrono::duration<double>(now - tick_at_ + kTick).count();
  cuts_due_ +=
      seconds * static_cast<double>(options_.connections * options_.reconnect_percent) / 100;
  for (; cuts_due_ >= 1; --cuts_due_) {
    Browser& browser = *browsers_[random_() % browsers_.size()];
    if (browser.state != Browser::State::kOpen || browser.cut) continue;
    browser.cut = true;
    browser.socket->Cut();
  }
}

void WsFleet::Impl::Ended(Browser& browser, const std::string& why) {
  if (browser.state == Browser::State::kConnecting) --connecting_;
  browser.socket = nullptr;
  if (stopping_) {
    browser.state = Browser::State::kOver;
    return;
  }
  browser.state = Browser::State::kWaiting;
  browser.open_at = Clock::now() + (browser.cut ? milliseconds(0) : browser.backoff.Next());
  if (browser.cut) {
    ++found_.resumed;
  } else {
    ++found_.lost;
    found_.AddFailure(
        absl::StrCat("a connection was lost: ", browser.refusal.empty() ? why : browser.refusal));
  }
  browser.cut = false;
  browser.refusal.clear();
}

const WsFrame& WsFleet::Impl::Read(std::string_view text) {
  auto& [last, frame] = frames_[std::hash<std::string_view>()(text) % frames_.size()];
  if (last != text) {
    frame = ReadFrame(text);
    last = text.size() <= kKnownBytesMax ? std::string(text) : "";
  }
  return frame;
}

void WsFleet::Impl::Take(Browser& browser, std::string_view text) {
  const WsFrame& frame = Read(text);
  switch (frame.type) {
    case WsFrame::Type::kSubscribed:
      if (browser.state != Browser::State::kConnecting) break;
      browser.state = Browser::State::kOpen;
      --connecting_;
      browser.backoff.Reset();
      break;
    case WsFrame::Type::kSnapshot:
      TakeSnapshot(browser, frame);
      break;
    case WsFrame::Type::kChange:
      if (!frame.epoch.empty()) browser.epoch = frame.epoch;
      TakeChange(browser, frame);
      break;
    case WsFrame::Type::kError:
      // The subscription is over; a new connection asks again after a pause.
      browser.refusal = frame.error;
      browser.socket->Cut();
      break;
    case WsFrame::Type::kOther:
      break;
  }
}

void WsFleet::Impl::TakeSnapshot(Browser& browser, const WsFrame& frame) {
  if (!browser.check.heard()) {
    found_.connect.Add(UsSince(browser.due));
    ++connected_;
  }
  browser.check.Snapshot(frame.revision, frame.epoch != browser.epoch);
  browser.epoch = frame.epoch;
}

void WsFleet::Impl::TakeChange(Browser& browser, const WsFrame& frame) {
  if (!browser.check.Change(frame.revision, frame.more)) return;
  ++changes_;
  const int64_t now = WallUs();
  const int64_t committed = frame.timestamp_ms * 1'000;
  if (committed < browser.opened_wall_us) {
    ++found_.late_messages;
    return;
  }
  if (committed > now) ++found_.early_messages;
  found_.delays.Add(now - committed);
}

bool WsFleet::Impl::AllHave() const {
  return std::all_of(browsers_.begin(), browsers_.end(), [this](const auto& browser) {
    return browser->check.heard() && browser->check.revision() >= targets_[browser->showtime];
  });
}

void WsFleet::Impl::Stop() {
  if (!thread_.joinable()) return;
  // Once all sockets are over nothing is left to do, and the thread ends.
  asio::post(io_, [this] {
    stopping_ = true;
    timer_.cancel();
    for (const std::unique_ptr<Browser>& browser : browsers_) {
      if (browser->socket != nullptr) browser->socket->Cut();
    }
  });
  thread_.join();
}

Followers WsFleet::Impl::Finish(const std::vector<uint64_t>& revisions, milliseconds patience) {
  asio::post(io_, [this, revisions] { targets_ = revisions; });
  const Clock::time_point end = Clock::now() + patience;
  while (!caught_up_ && Clock::now() < end) std::this_thread::sleep_for(kTick);
  Stop();
  for (const std::unique_ptr<Browser>& browser : browsers_) {
    found_.Add(browser->check, revisions[browser->showtime]);
  }
  return std::move(found_);
}

WsFleet::WsFleet(const Options& options, const Names& names)
    : impl_(std::make_unique<Impl>(options, names)) {}

WsFleet::~WsFleet() = default;

uint64_t WsFleet::connected() const {
  return impl_->connected();
}
uint64_t WsFleet::changes() const {
  return impl_->changes();
}
double WsFleet::late_share() const {
  return impl_->late_share();
}
Followers WsFleet::Finish(const std::vector<uint64_t>& revisions, milliseconds patience) {
  return impl_->Finish(revisions, patience);
}

}  // namespace seatlock::cli::bench
