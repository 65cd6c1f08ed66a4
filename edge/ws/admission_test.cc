#include "edge/ws/admission.h"

#include <gtest/gtest.h>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <optional>

#include "tests/testing/status_matchers.h"

namespace seatlock::edge {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::make_address;

UpgradeRequest Request(const std::string& forwarded_for = "") {
  UpgradeRequest request(http::verb::get, "/ws/seat-updates", 11);
  request.set(http::field::host, "server.example.com");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  request.set(http::field::sec_websocket_version, "13");
  if (!forwarded_for.empty()) request.set("X-Forwarded-For", forwarded_for);
  return request;
}

Admission::Options Roomy() {
  return {.connections_max = 100};
}

// 101 where it is admitted, which `place` then keeps.
int StatusOf(Admission::Answer answer, std::optional<Admission::Place>* place = nullptr) {
  if (const auto* refused = std::get_if<UpgradeRefused>(&answer)) return refused->status;
  if (place != nullptr) place->emplace(std::move(std::get<Admission::Admitted>(answer).place));
  return 101;
}

TEST(AdmissionTest, AFullEdgeIs503UntilSomebodyLeaves) {
  Admission::Options options = Roomy();
  options.connections_max = 1;
  Admission admission(options);
  const auto peer = make_address("192.0.2.1");
  std::optional<Admission::Place> first;
  EXPECT_EQ(StatusOf(admission.Check(Request(), peer), &first), 101);
  EXPECT_EQ(StatusOf(admission.Check(Request(), peer)), 503);
  EXPECT_EQ(StatusOf(admission.Check(Request(), peer)), 503);
  first.reset();
  EXPECT_EQ(StatusOf(admission.Check(Request(), peer)), 101);
}

TEST(AdmissionTest, ABadRequestTakesNoPlace) {
  Admission::Options options = Roomy();
  options.connections_max = 1;
  options.connections_per_address_max = 1;
  Admission admission(options);
  const auto peer = make_address("192.0.2.1");
  UpgradeRequest bad = Request();
  bad.target("/");
  EXPECT_EQ(StatusOf(admission.Check(bad, peer)), 404);
  EXPECT_EQ(StatusOf(admission.Check(Request(), peer)), 101);
}

TEST(AdmissionTest, AnAddressThatHasAllItMayIs429AndOthersComeIn) {
  Admission::Options options = Roomy();
  options.connections_per_address_max = 1;
  Admission admission(options);
  std::optional<Admission::Place> first;
  EXPECT_EQ(StatusOf(admission.Check(Request(), make_address("192.0.2.1")), &first), 101);
  EXPECT_EQ(StatusOf(admission.Check(Request(), make_address("192.0.2.1"))), 429);
  EXPECT_EQ(StatusOf(admission.Check(Request(), make_address("192.0.2.2"))), 101);
  // Nobody trusts what a stranger says of itself.
  EXPECT_EQ(StatusOf(admission.Check(Request("198.51.100.9"), make_address("192.0.2.1"))), 429);
}

TEST(AdmissionTest, BehindAProxyTheForwardedAddressCountsAndWithoutOneNobodyDoes) {
  Admission::Options options = Roomy();
  options.connections_per_address_max = 1;
  const auto proxies = TrustedProxies::Parse("10.0.0.0/8");
  ASSERT_THAT(proxies, testing::IsOk());
  options.trusted_proxies = *proxies;
  Admission admission(options);
  const auto proxy = make_address("10.0.0.1");
  std::optional<Admission::Place> first;
  std::optional<Admission::Place> second;
  std::optional<Admission::Place> third;
  EXPECT_EQ(StatusOf(admission.Check(Request("198.51.100.1"), proxy), &first), 101);
  EXPECT_EQ(StatusOf(admission.Check(Request("198.51.100.1"), proxy)), 429);
  EXPECT_EQ(StatusOf(admission.Check(Request("198.51.100.1"), make_address("10.0.0.2"))), 429);
  EXPECT_EQ(StatusOf(admission.Check(Request("198.51.100.2"), proxy)), 101);
  EXPECT_EQ(StatusOf(admission.Check(Request(), proxy), &second), 101);
  EXPECT_EQ(StatusOf(admission.Check(Request(), proxy), &third), 101);
}

TEST(AdmissionTest, ShowtimesCountUnderTheClientsAddressAndUnderNoneIfItIsNotKnown) {
  Admission::Options options = Roomy();
  options.new_showtimes_per_address_max = 1;
  options.trusted_proxies = *TrustedProxies::Parse("10.0.0.0/8");
  Admission admission(options);
  const auto place = [&admission](const std::string& forwarded_for, const std::string& peer) {
    std::optional<Admission::Place> taken;
    EXPECT_EQ(StatusOf(admission.Check(Request(forwarded_for), make_address(peer)), &taken), 101);
    return *std::move(taken);
  };
  const Admission::Place one = place("198.51.100.1", "10.0.0.1");
  const Admission::Place same = place("198.51.100.1", "10.0.0.2");
  const Admission::Place direct = place("", "198.51.100.1");
  const Admission::Place other = place("198.51.100.2", "10.0.0.1");
  const Admission::Place unknown = place("", "10.0.0.1");
  EXPECT_EQ(one.TakeNewShowtime(0), 0);
  EXPECT_EQ(same.TakeNewShowtime(0), 100'000);
  EXPECT_EQ(direct.TakeNewShowtime(0), 100'000);
  EXPECT_EQ(other.TakeNewShowtime(0), 0);
  EXPECT_EQ(unknown.TakeNewShowtime(0), 0);
  EXPECT_EQ(unknown.TakeNewShowtime(0), 0);
}

TEST(AdmissionTest, AProxyThatIsNotTrustedIsToldOfOnceAndOnlyIfAddressesAreLimited) {
  std::vector<std::string> told;
  Admission::Options options = Roomy();
  options.trusted_proxies = *TrustedProxies::Parse("10.0.0.0/8");
  options.on_untrusted_forwarder = [&told](const std::string& peer) { told.push_back(peer); };
  Admission unlimited(options);
  EXPECT_EQ(StatusOf(unlimited.Check(Request("198.51.100.1"), make_address("192.0.2.1"))), 101);
  EXPECT_TRUE(told.empty());
  options.new_showtimes_per_address_max = 1;
  Admission admission(options);
  EXPECT_EQ(StatusOf(admission.Check(Request("198.51.100.1"), make_address("10.0.0.1"))), 101);
  EXPECT_EQ(StatusOf(admission.Check(Request(), make_address("192.0.2.1"))), 101);
  EXPECT_TRUE(told.empty());
  for (const char* peer : {"192.0.2.1", "192.0.2.2"}) {
    EXPECT_EQ(StatusOf(admission.Check(Request("198.51.100.1"), make_address(peer))), 101);
  }
  EXPECT_EQ(told, std::vector<std::string>{"192.0.2.1"});
}

TEST(AdmissionTest, UpgradesThatProxiesForwardCountByWhetherTheProxyIsTrusted) {
  Admission::Options options = Roomy();
  options.trusted_proxies = *TrustedProxies::Parse("10.0.0.0/8");
  Admission admission(options);
  admission.Check(Request("198.51.100.1"), make_address("10.0.0.1"));
  admission.Check(Request(), make_address("10.0.0.1"));
  EXPECT_EQ(admission.ForwardedCount(true), 1);
  EXPECT_EQ(admission.ForwardedCount(false), 0);
  admission.Check(Request("198.51.100.1"), make_address("192.0.2.1"));
  EXPECT_EQ(admission.ForwardedCount(true), 1);
  EXPECT_EQ(admission.ForwardedCount(false), 1);
}

TEST(AdmissionTest, WhatWasNotOpenedIsGivenBackToTheAddress) {
  Admission::Options options = Roomy();
  options.new_showtimes_per_address_max = 1;
  Admission admission(options);
  std::optional<Admission::Place> place;
  ASSERT_EQ(StatusOf(admission.Check(Request(), make_address("192.0.2.1")), &place), 101);
  EXPECT_EQ(place->TakeNewShowtime(0), 0);
  EXPECT_NE(place->TakeNewShowtime(0), 0);
  place->GiveBackNewShowtime();
  EXPECT_EQ(place->TakeNewShowtime(0), 0);
}

TEST(AdmissionTest, AHandshakeCountsUnderItsPeerButATrustedProxysUnderNone) {
  Admission::Options options = Roomy();
  options.trusted_proxies = *TrustedProxies::Parse("10.0.0.0/8");
  const Admission admission(options);
  EXPECT_EQ(admission.HandshakeKeyOf(make_address("192.0.2.1")), KeyOf(make_address("192.0.2.1")));
  EXPECT_FALSE(admission.HandshakeKeyOf(make_address("10.1.2.3")).known());
}

TEST(AdmissionTest, RefusalsAreCountedByStatus) {
  Admission admission(Roomy());
  admission.CountRefusal(429);
  admission.CountRefusal(429);
  admission.CountRefusal(418);
  EXPECT_EQ(admission.RefusalCount(429), 2);
  EXPECT_EQ(admission.RefusalCount(503), 0);
  EXPECT_EQ(admission.RefusalCount(418), 0);
}

}  // namespace
}  // namespace seatlock::edge
