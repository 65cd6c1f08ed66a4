#include "clients/cli/bench/options.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "clients/cli/bench/limits.h"
#include "clients/cli/bench/ws_url.h"

namespace seatlock::cli::bench {

uint64_t CallsOf(const Options& options) {
  if (options.count > 0) return options.count;
  return static_cast<uint64_t>(options.rate) * static_cast<uint64_t>(options.duration_ms) / 1'000;
}

std::string ParseMix(const std::string& text, Mix* mix) {
  const std::string wanted = absl::StrCat(
      "must be shares such as lock=50,unlock=50 of lock, unlock, extend, book and "
      "cancel (got '",
      text, "')");
  Mix shares{};
  for (const auto part : absl::StrSplit(text, ',')) {
    const std::vector<std::string> words = absl::StrSplit(part, '=');
    const auto name = std::find(kKindNames.begin(), kKindNames.end(), words[0]);
    uint32_t share = 0;
    if (words.size() != 2 || name == kKindNames.end() || !absl::SimpleAtoi(words[1], &share) ||
        share > 1'000'000) {
      return wanted;
    }
    shares[static_cast<size_t>(name - kKindNames.begin())] = share;
  }
  // Everything else needs a lock first.
  if (shares[0] == 0) return "must have a share of lock: nothing is held without it";
  *mix = shares;
  return "";
}

std::string MixText(const Mix& mix) {
  std::string text;
  for (size_t i = 0; i < mix.size(); ++i) {
    if (mix[i] > 0) absl::StrAppend(&text, text.empty() ? "" : ",", kKindNames[i], "=", mix[i]);
  }
  return text;
}

std::string CheckOptions(const Options& options) {
  const uint64_t calls = CallsOf(options);
  if (options.rate > 0 && calls == 0) return "--rate and --duration leave no call to make";
  if (calls > kCallsMax) {
    return absl::StrCat("--rate and --duration (or --count) make ", calls, " calls; at most ",
                        kCallsMax, " can be judged");
  }
  if (options.count > 0 &&
      static_cast<double>(options.count) / static_cast<double>(options.rate) * 1'000 >
          static_cast<double>(kDurationMsMax)) {
    return absl::StrCat("--count at this --rate takes longer than ", kDurationMsMax / 60'000, "m");
  }
  return options.bench == Bench::kWs ? std::string(ParseWsUrl(options.url).status().message()) : "";
}

}  // namespace seatlock::cli::bench
