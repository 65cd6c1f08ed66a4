#include "common/runtime/admin_server.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace seatlock::runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// Probes, a Prometheus or two and a few people. The next one takes the place of another.
constexpr size_t kConnectionsMax = 64;
// curl sends 80 bytes of headers, a browser under 2 KiB.
constexpr uint32_t kHeaderBytesMax = 8 * 1024;
// From the connection, or the answer before, until a request is there whole.
constexpr std::chrono::seconds kRequestTime(5);
// Until the client has taken the answer.
constexpr std::chrono::seconds kAnswerTime(10);
// How much of a body is taken off the wire after the answer, and how long: a close with bytes
// unread would reset the connection, and the answer could be lost with it.
constexpr size_t kDiscardBytesMax = 256 * 1024;
constexpr std::chrono::seconds kDiscardTime(2);

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

Response MakeResponse(const Request& request, http::status status, std::string body,
                      const char* type = "text/plain; charset=utf-8") {
  Response response(status, request.version(), std::move(body));
  response.set(http::field::content_type, type);
  response.set(http::field::cache_control, "no-store");
  response.keep_alive(request.keep_alive());
  response.prepare_payload();
  // The length stays that of the page; the page itself is not sent.
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

Response ReadyPage(const AdminServer::Pages& pages, const Request& request) {
  const absl::Status status = pages.ready();
  const std::string details = pages.details ? pages.details() : "";
  if (status.ok()) return MakeResponse(request, http::status::ok, "ok\n" + details);
  return MakeResponse(request, http::status::service_unavailable,
                      absl::StrCat(status.message(), "\n", details));
}

Response Answer(const AdminServer::Pages& pages, const Request& request) {
  const auto target = request.target();
  const std::string_view path(target.data(), std::min(target.find('?'), target.size()));
  const bool known =
      path == "/livez" || path == "/readyz" || path == "/metrics" || path == "/version";
  if (!known) return MakeResponse(request, http::status::not_found, "not found\n");
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    Response response =
        MakeResponse(request, http::status::method_not_allowed, "use GET or HEAD\n");
    response.set(http::field::allow, "GET, HEAD");
    return response;
  }
  if (path == "/livez") return MakeResponse(request, http::status::ok, "ok\n");
  if (path == "/readyz") return ReadyPage(pages, request);
  if (path == "/version") {
    return MakeResponse(request, http::status::ok, pages.version, "application/json");
  }
  return MakeResponse(request, http::status::ok, pages.metrics(),
                      "text/plain; version=0.0.4; charset=utf-8");
}

class Session;

// What a connection waits for, in the order in which they give up their places. One that was served
// already goes before a probe that has connected and not sent its request yet.
enum class Waits { kNextRequest, kFirstRequest, kAnswerTaken };

// The open connections, the one that has waited longest first.
using Sessions = std::list<Session*>;

// One connection: reads a request, answers it, and so on. Lives in its own handlers; stands in
// `sessions` until it is closed.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, const AdminServer::Pages* pages, Sessions* sessions)
      : stream_(std::move(socket)),
        pages_(pages),
        sessions_(sessions),
        place_(sessions->insert(sessions->end(), this)) {}
  ~Session() { GiveUpPlace(); }

  Waits waits() const { return waits_; }

  // Reads the first request; call it once.
  void Start() { Read(Waits::kFirstRequest); }

  // Cuts the connection off, for the sake of another.
  void Evict() {
    GiveUpPlace();
    stream_.close();
  }

 private:
  void Read(Waits waits) {
    Moved(waits);
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    // Bodies are not read, whatever their length.
    parser_->body_limit(boost::none);
    stream_.expires_after(kRequestTime);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->Write(error); });
  }

  void Write(error_code error) {
    if (error) return Close();
    Moved(Waits::kAnswerTaken);
    response_ = Answer(*pages_, parser_->get());
    if (!parser_->is_done()) response_->keep_alive(false);
    stream_.expires_after(kAnswerTime);
    // A HEAD's answer is its header alone, whatever length that names.
    serializer_.emplace(*response_);
    auto done = [self = shared_from_this()](error_code failed, size_t) { self->Next(failed); };
    if (parser_->get().method() == http::verb::head) {
      http::async_write_header(stream_, *serializer_, std::move(done));
    } else {
      http::async_write(stream_, *serializer_, std::move(done));
    }
  }

  void Next(error_code error) {
    if (!error && response_->keep_alive()) return Read(Waits::kNextRequest);
    Close();
    if (error || parser_->is_done()) return;
    Moved(Waits::kNextRequest);
    stream_.expires_after(kDiscardTime);
    Discard(kDiscardBytesMax);
  }

  // Reads up to `most` bytes of what the client still sends, until it closes.
  void Discard(size_t most) {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(buffer_.max_size()),
                            [most, self = shared_from_this()](error_code error, size_t bytes) {
                              if (!error && bytes < most) self->Discard(most - bytes);
                            });
  }

  void Close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  // Something happened: from now on this one has waited least of all.
  void Moved(Waits waits) {
    waits_ = waits;
    if (place_) sessions_->splice(sessions_->end(), *sessions_, *place_);
  }
  void GiveUpPlace() {
    if (place_) sessions_->erase(*std::exchange(place_, std::nullopt));
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kHeaderBytesMax};
  const AdminServer::Pages* const pages_;
  Sessions* const sessions_;
  std::optional<Sessions::iterator> place_;
  Waits waits_ = Waits::kFirstRequest;
  std::optional<http::request_parser<http::empty_body>> parser_;
  std::optional<Response> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
};

// Makes room for one more: of those that give up their places first, the one that has waited
// longest goes.
void MakeRoom(Sessions& sessions) {
  if (sessions.size() < kConnectionsMax) return;
  const auto first = std::min_element(
      sessions.begin(), sessions.end(),
      [](const Session* one, const Session* other) { return one->waits() < other->waits(); });
  (*first)->Evict();
}

}  // namespace

struct AdminServer::Impl {
  Impl(HostPort listen, Pages the_pages)
      : address(std::move(listen)), pages(std::move(the_pages)), acceptor(io), resume(io) {}

  absl::Status Listen();
  void Accept();
  void Accepted(error_code error, tcp::socket socket);
  // Accept failed, for want of files say: tries again a little later.
  void AcceptLater();

  HostPort address;
  const Pages pages;
  // The sessions live in io's queue, so what they refer to stands before it.
  Sessions sessions;
  asio::io_context io{1};
  tcp::acceptor acceptor;
  asio::steady_timer resume;
  std::thread thread;
};

absl::Status AdminServer::Impl::Listen() {
  error_code error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  tcp::endpoint endpoint;
  if (!error) endpoint = found.begin()->endpoint();
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address.ToString(), ": ", error.message()));
  }
  address.port = acceptor.local_endpoint().port();
  return absl::OkStatus();
}

void AdminServer::Impl::Accept() {
  acceptor.async_accept(
      [this](error_code error, tcp::socket socket) { Accepted(error, std::move(socket)); });
}

void AdminServer::Impl::Accepted(error_code error, tcp::socket socket) {
  if (error == asio::error::operation_aborted) return;
  if (error) return AcceptLater();
  MakeRoom(sessions);
  std::make_shared<Session>(std::move(socket), &pages, &sessions)->Start();
  Accept();
}

void AdminServer::Impl::AcceptLater() {
  resume.expires_after(std::chrono::milliseconds(100));
  resume.async_wait([this](error_code error) {
    if (!error) Accept();
  });
}

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const HostPort& listen,
                                                                Pages pages) {
  auto impl = std::make_unique<Impl>(listen, std::move(pages));
  const absl::Status status = impl->Listen();
  if (!status.ok()) return status;
  impl->Accept();
  impl->thread = std::thread([&io = impl->io] { io.run(); });
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

AdminServer::~AdminServer() {
  impl_->io.stop();
  impl_->thread.join();
}

const HostPort& AdminServer::address() const {
  return impl_->address;
}

}  // namespace seatlock::runtime
