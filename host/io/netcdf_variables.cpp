/// Which variables a list of parameter names makes.

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "host/io/netcdf.hpp"

namespace lockstep {

namespace {

struct IndexedName {
  std::string base;
  std::vector<long long> indices;  // empty: the name is not of the form base[i,j,...]
};

IndexedName parsed(const std::string& name) {
  const std::size_t open = name.find('[');
  if (open == std::string::npos || open == 0 || name.back() != ']') {
    return {name, {}};
  }
  IndexedName result{name.substr(0, open), {}};
  const char* at = name.data() + open + 1;
  const char* const end = name.data() + name.size() - 1;
  for (;;) {
    long long index = 0;
    const auto [next, error] = std::from_chars(at, end, index);
    if (error != std::errc() || (next != end && *next != ',')) {
      return {name, {}};
    }
    result.indices.push_back(index);
    if (next == end) {
      return result;
    }
    at = next + 1;
  }
}

/// The members' indices along each dimension, if they fill the grid, each place once.
using Members = std::map<std::vector<long long>, int>;  // index tuple, in C order -> column
std::vector<std::vector<long long>> grid_of(const Members& members, std::size_t rank) {
  std::vector<std::vector<long long>> grid(rank);
  std::size_t places = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    std::set<long long> along;
    for (const auto& [indices, column] : members) {
      along.insert(indices[d]);
    }
    grid[d].assign(along.begin(), along.end());
    places *= along.size();
  }
  return places == members.size() ? grid : std::vector<std::vector<long long>>();
}

/// netCDF's rules: a letter, digit, underscore or non-ASCII character first, then anything that
/// prints but '/', and no blank at the end.
std::string legal(std::string name) {
  for (char& c : name) {
    const auto u = static_cast<unsigned char>(c);
    c = u <= 0x20 || u == 0x7f || c == '/' ? '_' : c;
  }
  const auto first = name.empty() ? '\0' : name[0];
  const bool may_begin = (first >= '0' && first <= '9') || (first >= 'A' && first <= 'Z') ||
                         (first >= 'a' && first <= 'z') || first == '_' || (first & 0x80) != 0;
  return may_begin ? name : "_" + name;
}

}  // namespace

std::vector<NetcdfVariable> netcdf_variables(const std::vector<std::string>& names) {
  // Members of one array share base and rank. A name that comes twice is no member of one.
  std::map<std::pair<std::string, std::size_t>, Members> arrays;
  std::map<std::pair<std::string, std::size_t>, bool> broken;
  std::vector<IndexedName> all;
  for (const std::string& name : names) {
    all.push_back(parsed(name));
    const IndexedName& n = all.back();
    if (!n.indices.empty()) {
      const auto column = static_cast<int>(all.size()) - 1;
      const std::pair key(n.base, n.indices.size());
      broken[key] |= !arrays[key].emplace(n.indices, column).second;
    }
  }

  std::vector<NetcdfVariable> variables;
  for (std::size_t j = 0; j < names.size(); ++j) {
    const std::pair key(all[j].base, all[j].indices.size());
    const auto array = arrays.find(key);
    if (array != arrays.end() && !broken[key]) {
      auto grid = grid_of(array->second, key.second);
      if (!grid.empty()) {
        if (array->second.begin()->second < 0) {
          continue;  // its variable stands already
        }
        NetcdfVariable v{all[j].base, std::move(grid), {}};
        for (auto& [indices, column] : array->second) {
          v.columns.push_back(column);
          column = -1;
        }
        variables.push_back(std::move(v));
        continue;
      }
    }
    variables.push_back({names[j], {}, {static_cast<int>(j)}});
  }

  std::set<std::string> taken{"chain", "draw"};
  for (NetcdfVariable& v : variables) {
    const auto free = [&] {
      bool is_free = !taken.contains(v.name);
      for (std::size_t d = 0; d < v.indices.size(); ++d) {
        is_free = is_free && !taken.contains(v.dimension(d));
      }
      return is_free;
    };
    v.name = legal(v.name);
    while (!free()) {
      v.name += '_';
    }
    taken.insert(v.name);
    for (std::size_t d = 0; d < v.indices.size(); ++d) {
      taken.insert(v.dimension(d));
    }
  }
  return variables;
}

}  // namespace lockstep
