#pragma once

#include <string>

namespace lockstep {

/// Text as HTML and SVG show it, in content and in quoted attributes. Control characters, which
/// they cannot hold, become U+FFFD.
std::string html_escaped(const std::string& text);

}  // namespace lockstep
