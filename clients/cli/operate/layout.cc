#include "clients/cli/operate/layout.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/text.h"

namespace seatlock::cli::operate {
namespace {

namespace json = boost::json;

absl::Status Wrong(const std::string& where, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(where, " ", what));
}

// Reads a layout, and knows where it is in it.
class LayoutReader {
 public:
  absl::StatusOr<House> Read(const json::value& value) {
    House house;
    if (absl::Status status = Object(value, "the layout"); !status.ok()) return status;
    house.name = Text(value.as_object(), "name").value_or("");
    const auto sections = List(value.as_object(), "sections", "the layout");
    if (!sections.ok()) return sections.status();
    for (const json::value& each : **sections) {
      const std::string where = absl::StrCat("sections[", house.sections.size(), "]");
      if (absl::Status s = Section(each, where, &house.sections.emplace_back()); !s.ok()) return s;
    }
    if (seen_.empty()) return Wrong("the layout", "has no seats");
    return house;
  }

 private:
  static absl::Status Object(const json::value& value, const std::string& where) {
    return value.is_object() ? absl::OkStatus() : Wrong(where, "must be an object");
  }

  static std::optional<std::string> Text(const json::object& object, const char* name) {
    const json::value* field = object.if_contains(name);
    if (field == nullptr || !field->is_string()) return std::nullopt;
    return std::string(field->as_string().data(), field->as_string().size());
  }

  static absl::StatusOr<const json::array*> List(const json::object& object, const char* name,
                                                 const std::string& where) {
    const json::value* field = object.if_contains(name);
    if (field == nullptr || !field->is_array()) {
      return Wrong(where, absl::StrCat("must have a list '", name, "'"));
    }
    return &field->as_array();
  }

  absl::Status Section(const json::value& value, const std::string& where, HouseSection* section) {
    if (absl::Status status = Object(value, where); !status.ok()) return status;
    section->name = Text(value.as_object(), "name").value_or("");
    const auto rows = List(value.as_object(), "rows", where);
    if (!rows.ok()) return rows.status();
    for (const json::value& each : **rows) {
      if (++rows_ > kRowsMax)
        return Wrong("the layout", absl::StrCat("has over ", kRowsMax, " rows"));
      const std::string at = absl::StrCat(where, ".rows[", section->rows.size(), "]");
      if (absl::Status s = Row(each, at, &section->rows.emplace_back()); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  absl::Status Row(const json::value& value, const std::string& where, HouseRow* row) {
    if (absl::Status status = Object(value, where); !status.ok()) return status;
    row->label = Text(value.as_object(), "label").value_or("");
    const auto seats = List(value.as_object(), "seats", where);
    if (!seats.ok()) return seats.status();
    int64_t column = 0;
    for (const json::value& each : **seats) {
      const std::string at = absl::StrCat(where, ".seats[", row->places.size(), "]");
      if (absl::Status s = Seat(each, at, &column, row); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  absl::Status Seat(const json::value& value, const std::string& where, int64_t* column,
                    HouseRow* row) {
    if (absl::Status status = Object(value, where); !status.ok()) return status;
    const json::object& seat = value.as_object();
    const std::string id = Text(seat, "seatId").value_or("");
    if (id.empty()) return Wrong(where, "must have a 'seatId' that is a text");
    if (!seen_.insert(id).second)
      return Wrong(where, absl::StrCat("is seat ", Clean(id), " again"));
    if (seen_.size() > kSeatsMax) {
      return Wrong("the layout", absl::StrCat("has over ", kSeatsMax, " seats"));
    }
    if (const json::value* gap = seat.if_contains("gapBefore"); gap != nullptr) {
      const bool good = gap->is_int64() && gap->as_int64() >= 0 && gap->as_int64() <= kColumnsMax;
      if (!good) return Wrong(where, absl::StrCat("must have a 'gapBefore' of 0 to ", kColumnsMax));
      *column += gap->as_int64();
    }
    if (*column >= kColumnsMax) {
      return Wrong(where, absl::StrCat("stands beyond column ", kColumnsMax));
    }
    row->places.push_back({id, static_cast<int>(*column)});
    const json::value* aisle = seat.if_contains("aisleAfter");
    *column += aisle != nullptr && aisle->is_bool() && aisle->as_bool() ? 2 : 1;
    return absl::OkStatus();
  }

  std::set<std::string> seen_;
  size_t rows_ = 0;
};

// Where the last number of `id` begins; its size if it ends with none.
size_t NumberAt(std::string_view id) {
  size_t at = id.size();
  while (at > 0 && absl::ascii_isdigit(static_cast<unsigned char>(id[at - 1]))) --at;
  return at;
}

// As people sort rows: A, B ... Z, AA.
struct RowOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};

}  // namespace

absl::StatusOr<House> ParseLayout(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error) return Wrong("the layout", absl::StrCat("is no JSON: ", error.message()));
  return LayoutReader().Read(value);
}

absl::StatusOr<House> ReadLayout(const std::string& path) {
  std::error_code none;
  std::ifstream in(path, std::ios::binary);
  std::string text(kLayoutBytesMax + 1, '\0');
  // A folder opens, and fails only when it is read.
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && in.fail()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", Clean(path), ": ", std::strerror(errno)));
  }
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kLayoutBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(Clean(path), " has over ", kLayoutBytesMax >> 20, " MiB"));
  }
  auto house = ParseLayout(text);
  if (house.ok()) return house;
  return absl::InvalidArgumentError(absl::StrCat(Clean(path), ": ", house.status().message()));
}

House GuessHouse(const std::vector<std::string>& seat_ids) {
  std::map<std::string, std::map<int, std::string>, RowOrder> rows;
  std::vector<std::string> others;
  for (const std::string& id : seat_ids) {
    const size_t at = NumberAt(id);
    int number = 0;
    const bool numbered = at < id.size() && absl::SimpleAtoi(id.substr(at), &number);
    const bool placed =
        numbered && number < kColumnsMax && rows[id.substr(0, at)].try_emplace(number, id).second;
    if (!placed) others.push_back(id);
  }
  House house;
  house.guessed = true;
  HouseSection& section = house.sections.emplace_back();
  for (const auto& [label, places] : rows) {
    if (places.empty() || section.rows.size() == kRowsMax) continue;
    HouseRow& row = section.rows.emplace_back();
    row.label = label;
    for (const auto& [column, id] : places) row.places.push_back({id, column});
  }
  std::sort(others.begin(), others.end());
  for (size_t i = 0; i < others.size(); ++i) {
    if (i % 20 == 0) section.rows.emplace_back().label = i == 0 ? "other" : "";
    section.rows.back().places.push_back({others[i], static_cast<int>(i % 20)});
  }
  return house;
}

}  // namespace seatlock::cli::operate
