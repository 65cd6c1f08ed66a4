#include "clients/cli/operate/http.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <cstdlib>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "clients/cli/operate/limits.h"
#include "common/runtime/admin_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::cli::operate {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using seatlock::testing::IsOk;
using seatlock::testing::TempDir;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

// Long enough for a busy machine; nobody waits for it if all is well.
constexpr milliseconds kLong(20'000);
// So short that a test of silence is quick.
constexpr milliseconds kShort(150);

Deadline In(milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

// Takes one connection, and does with it what it is told.
template <typename Serve>
class OneConnection {
 public:
  explicit OneConnection(Serve serve)
      : thread_([this, serve] {
          boost::system::error_code error;
          tcp::socket socket(io_);
          acceptor_.accept(socket, error);
          if (!error) serve(std::move(socket));
        }) {}
  ~OneConnection() {
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);  // ends an accept that nobody came to
    thread_.join();
  }
  base::HostPort address() const { return {"127.0.0.1", acceptor_.local_endpoint().port()}; }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)};
  std::thread thread_;
};

// Reads a request and writes `answer`, then waits until the other side is gone.
auto Answering(std::string answer) {
  return OneConnection([answer](tcp::socket socket) {
    boost::system::error_code error;
    std::string request;
    asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", error);
    asio::write(socket, asio::buffer(answer), error);
    std::array<char, 256> rest;
    while (!error) socket.read_some(asio::buffer(rest), error);
  });
}

TEST(HttpTest, GetsAnAdminPage) {
  const auto server = runtime::AdminServer::Start(
      {"127.0.0.1", 0}, {[] { return absl::UnavailableError("draining"); },
                         [] { return std::string("a 1\n"); }, "{}"});
  ASSERT_THAT(server, IsOk());
  const auto metrics = HttpGet((*server)->address(), "/metrics", In(kLong));
  ASSERT_THAT(metrics, IsOk());
  EXPECT_EQ(metrics->status, 200);
  EXPECT_EQ(metrics->body, "a 1\n");
  EXPECT_EQ(HttpGet((*server)->address(), "/readyz", In(kLong))->status, 503);
}

TEST(HttpTest, WhoDoesNotAnswerIsGivenUpAtTheDeadline) {
  const auto silent = Answering("");
  const auto slow = Answering("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  for (const auto& address : {silent.address(), slow.address()}) {
    const auto answer = HttpGet(address, "/", In(kShort));
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.status().message(), "no answer in time");
  }
}

TEST(HttpTest, WhyThereIsNoAnswerIsOneClearLine) {
  base::HostPort gone;
  { gone = Answering("").address(); }
  EXPECT_THAT(std::string(HttpGet(gone, "/", In(kLong)).status().message()),
              HasSubstr("connection refused"));
  EXPECT_THAT(
      std::string(
          HttpGet(Answering("SSH-2.0-x\r\n\r\n").address(), "/", In(kLong)).status().message()),
      HasSubstr("does not speak HTTP"));
  EXPECT_THAT(std::string(HttpGet({"no.such.host.invalid", 1}, "/", In(kLong)).status().message()),
              HasSubstr("cannot look up"));
}

TEST(HttpTest, PagesAreBounded) {
  const auto large =
      Answering(absl::StrCat("HTTP/1.1 200 OK\r\n\r\n", std::string(kPageBytesMax + 1, 'x')));
  EXPECT_THAT(std::string(HttpGet(large.address(), "/", In(kLong)).status().message()),
              HasSubstr("too long"));
  const auto head = Answering(
      absl::StrCat("HTTP/1.1 200 OK\r\nA: ", std::string(kHeadBytesMax, 'x'), "\r\n\r\n"));
  EXPECT_THAT(std::string(HttpGet(head.address(), "/", In(kLong)).status().message()),
              HasSubstr("too long"));
}

TEST(HttpTest, UrlsOfWebSockets) {
  const auto url = ParseWsUrl("wss://seats.example/ws/seat-updates?showtime=1");
  ASSERT_THAT(url, IsOk());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->where, (base::HostPort{"seats.example", 443}));
  EXPECT_EQ(url->target, "/ws/seat-updates?showtime=1");
  EXPECT_EQ(url->Origin(), "https://seats.example");
  EXPECT_EQ(ParseWsUrl("ws://[::1]:8080/ws")->Origin(), "http://[::1]:8080");
  EXPECT_EQ(ParseWsUrl("ws://a")->target, "/");
  for (const char* bad : {"", "a", "http://a/", "ws://", "ws:///x", "ws://u@a/", "ws://a:0/",
                          "ws://a:99999/", "ws://a/#x", "ws://a b/"}) {
    EXPECT_FALSE(ParseWsUrl(bad).ok()) << bad;
  }
}

WsUrl UrlOf(const base::HostPort& where, bool tls = false) {
  return {tls, where, "/ws/seat-updates"};
}

TEST(HttpTest, WhatComesInPlaceOfAnUpgradeIsTold) {
  const auto server =
      Answering("HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n");
  const WsTry tried = TryWebSocket(UrlOf(server.address()), In(kLong), {});
  EXPECT_EQ(tried.status, 404);
  EXPECT_EQ(tried.server, "nginx");
  EXPECT_EQ(tried.error, "HTTP 404 in place of the upgrade");
}

TEST(HttpTest, ASilentProxyIsGivenUpAtTheDeadline) {
  const auto server = Answering("");
  const WsTry tried = TryWebSocket(UrlOf(server.address()), In(kShort), {});
  EXPECT_EQ(tried.status, 0);
  EXPECT_EQ(tried.error, "no answer in time");
}

// A key, and a certificate for 127.0.0.1 that it signed itself, as files.
struct Certificate {
  explicit Certificate(const TempDir& dir) : cert(dir.File("cert")), key(dir.File("key")) {
    EVP_PKEY* const pair = EVP_EC_gen("P-256");
    X509* const x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pair);
    X509_NAME* const name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_EXTENSION* const alt =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x509, alt, -1);
    X509_sign(x509, pair, EVP_sha256());
    std::FILE* file = std::fopen(cert.c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
    file = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_EXTENSION_free(alt);
    X509_free(x509);
    EVP_PKEY_free(pair);
  }
  const std::string cert;
  const std::string key;
};

// Speaks TLS, and says what an edge says first.
auto TlsEdge(const Certificate& certificate) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->use_certificate_file(certificate.cert, ssl::context::pem);
  context->use_private_key_file(certificate.key, ssl::context::pem);
  return OneConnection([context](tcp::socket socket) {
    boost::system::error_code error;
    boost::beast::websocket::stream<ssl::stream<tcp::socket>> ws(std::move(socket), *context);
    ws.next_layer().handshake(ssl::stream_base::server, error);
    if (!error) ws.accept(error);
    if (!error) ws.write(asio::buffer(std::string(R"({"type":"connection_established"})")), error);
    boost::beast::flat_buffer rest;
    if (!error) ws.read(rest, error);
  });
}

TEST(HttpTest, TlsIsTriedAndItsCertificateLookedAt) {
  const TempDir dir;
  const Certificate certificate(dir);
  {
    const auto stranger = TlsEdge(certificate);
    const WsTry tried = TryWebSocket(UrlOf(stranger.address(), true), In(kLong), {});
    EXPECT_THAT(tried.error, HasSubstr("TLS: "));
    EXPECT_EQ(tried.status, 0);
  }
  ::setenv("SSL_CERT_FILE", certificate.cert.c_str(), 1);
  const auto known = TlsEdge(certificate);
  const WsTry tried = TryWebSocket(UrlOf(known.address(), true), In(kLong), {});
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_EQ(tried.error, "");
  EXPECT_EQ(tried.status, 101);
  EXPECT_THAT(tried.first_message, HasSubstr("connection_established"));
}

}  // namespace
}  // namespace seatlock::cli::operate
