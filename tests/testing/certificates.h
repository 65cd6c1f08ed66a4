// Certificates of a test, made by authorities of its own: EC keys of P-256, in memory and in PEM.
// Thread-compatible. What cannot be made aborts the test.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace seatlock::testing {

struct Issued {
  std::string cert_pem;
  std::string key_pem;
};

struct CertificateWish {
  std::string name = "test";  // its common name
  // Host names and IP addresses that it is for.
  std::vector<std::string> hosts = {"localhost", "127.0.0.1"};
  // When it begins and ends to hold, in seconds from now.
  int64_t begin_seconds = -3600;
  int64_t end_seconds = 24 * 3600;
};

class Authority {
 public:
  explicit Authority(const std::string& name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // Its own certificate, which callers trust.
  const std::string& pem() const { return pem_; }
  // A certificate that it has signed, and its key.
  Issued Issue(const CertificateWish& wish) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string pem_;
};

// An RSA key of `bits`, signed by itself: for tests of keys that are too short.
Issued SelfSignedRsa(int bits);

// The file at `path` is `text`, and readable by its owner alone.
void WriteSecret(const std::string& path, const std::string& text);

}  // namespace seatlock::testing
