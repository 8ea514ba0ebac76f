// What the pages of this program share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/columns.h"

namespace luf::report::html {

/// `text` for the inside of an element or of a quoted attribute.
std::string escaped(std::string_view text);

/// A table of escaped cells; the first row is the head. Wide ones scroll by themselves, the page never does sideways.
std::string table(const std::vector<Row>& rows);

/// A whole page around `body`: follows the reader's light or dark setting, fits a phone, prints. Nothing is fetched.
std::string page(std::string_view title, std::string_view body);

}  // namespace luf::report::html
