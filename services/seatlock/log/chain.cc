#include "services/seatlock/log/chain.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

namespace seatlock::log {
namespace {

// One hash under way. OpenSSL 3 looks algorithms up by name in a locked table: looking SHA-256 up
// once, not at each hash, makes a short hash about three times as fast.
class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    Check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), kSha256, nullptr) == 1);
  }

  void Add(const void* data, size_t size) {
    Check(EVP_DigestUpdate(context_.get(), data, size) == 1);
  }

  Chain Finish() {
    Chain chain;
    Check(EVP_DigestFinal_ex(context_.get(), chain.data(), nullptr) == 1);
    return chain;
  }

 private:
  // A process that cannot hash has no memory left or no working OpenSSL: nothing to go on with.
  static void Check(bool ok) {
    if (!ok) std::abort();
  }

  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

Chain ChainStart(const domain::ShowtimeId& showtime, const domain::Epoch& epoch) {
  static constexpr std::string_view kDomain("seatlock.log.v1\0", 16);
  Hasher hasher;
  hasher.Add(kDomain.data(), kDomain.size());
  hasher.Add(showtime.value().c_str(), showtime.value().size() + 1);  // with its closing "\0"
  hasher.Add(epoch.value().data(), epoch.value().size());
  return hasher.Finish();
}

Chain ChainNext(const Chain& before, domain::Revision revision, std::string_view bytes) {
  std::array<uint8_t, 8> number;
  for (size_t i = 0; i < number.size(); ++i) {
    number[i] = static_cast<uint8_t>(revision.value() >> (56 - 8 * i));
  }
  Hasher hasher;
  hasher.Add(before.data(), before.size());
  hasher.Add(number.data(), number.size());
  hasher.Add(bytes.data(), bytes.size());
  return hasher.Finish();
}

Seal SealOf(const Chain& chain, int64_t commit_ms) {
  const Chain hash = ChainNext(chain, domain::Revision(static_cast<uint64_t>(commit_ms)), "");
  Seal seal;
  std::copy_n(hash.begin(), seal.size(), seal.begin());
  return seal;
}

}  // namespace seatlock::log
