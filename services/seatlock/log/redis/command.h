// A command for Redis as it goes over the wire (RESP2): an array of binary-safe texts.
//
// Thread-compatible.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace seatlock::log {

class Command {
 public:
  Command() = default;
  Command(std::initializer_list<absl::string_view> texts) {
    for (const absl::string_view text : texts) Add(text);
  }

  Command& Add(absl::string_view text) {
    absl::StrAppend(&body_, "$", text.size(), "\r\n", text, "\r\n");
    ++count_;
    return *this;
  }
  Command& Add(int64_t number) { return Add(absl::string_view(absl::StrCat(number))); }

  std::string Bytes() const { return absl::StrCat("*", count_, "\r\n", body_); }
  size_t size() const { return body_.size(); }

 private:
  size_t count_ = 0;
  std::string body_;
};

}  // namespace seatlock::log
