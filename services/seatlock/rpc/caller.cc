#include "services/seatlock/rpc/caller.h"

#include <array>
#include <iterator>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "services/seatlock/guard/scopes.h"
#include "services/seatlock/rpc/peer_certificate.h"
#include "services/seatlock/rpc/status.h"

namespace seatlock::rpc {
namespace {

std::string RpcOf(Method method) {
  return absl::StrCat(std::string(ServiceName(method)), ".", std::string(MethodName(method)));
}

guard::Need NeedOf(Method method) {
  static const auto kNeeds = [] {
    std::array<guard::Need, kMethodCount> needs{};
    for (int i = 0; i < kMethodCount; ++i) {
      needs[static_cast<size_t>(i)] = guard::NeedOf(RpcOf(static_cast<Method>(i)));
    }
    return needs;
  }();
  return kNeeds[static_cast<size_t>(method)];
}

guard::Credentials CredentialsOf(const grpc::CallbackServerContext& context) {
  guard::Credentials credentials;
  const auto [begin, end] = context.client_metadata().equal_range("authorization");
  if (begin != end) {
    credentials.authorization = {begin->second.data(), begin->second.size()};
    credentials.several = std::next(begin) != end;
  }
  credentials.certificate_sha256 = [&context] {
    return PeerCertificateSha256(*context.auth_context()).value_or("");
  };
  return credentials;
}

}  // namespace

Admission Admit(guard::Authenticator& guard, Method method,
                const grpc::CallbackServerContext& context) {
  const auto verdict = guard.Check(CredentialsOf(context));
  if (const auto* denied = std::get_if<guard::Denied>(&verdict)) {
    return {nullptr, ToStatus(*denied)};
  }
  const auto& identity = std::get<guard::Identity>(verdict);
  auto caller = std::make_shared<const Caller>(Caller{identity.principal});
  const guard::Need need = NeedOf(method);
  const bool may = guard::Allows(identity.scopes, need);
  return {std::move(caller), may ? grpc::Status::OK : ScopeMissing(need)};
}

}  // namespace seatlock::rpc
