#include "host/io/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "host/io/whole_file.hpp"
#include "lockstep/error.hpp"

namespace lockstep {

namespace {

constexpr char kMagic[21] = "lockstep checkpoint\n";
constexpr std::uint32_t kFormat = 1;
constexpr std::uint32_t kByteOrder = 0x01020304;

struct Header {
  char magic[20] = {};
  std::uint32_t format = kFormat, byte_order = kByteOrder;
  std::uint32_t size = 56;
  std::uint64_t configuration = 0, state = 0, checksum = 0;
};
static_assert(sizeof(Header) == 56);

/// FNV-1a on words of eight bytes, the last one padded with zeros, with a shift that lets high bits
/// reach low ones. It tells torn and damaged files, not forged ones.
class Checksum {
 public:
  void add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (; size > 0 && pending_ > 0; --size) {
      push(*bytes++);
    }
    for (; size >= 8; size -= 8, bytes += 8) {
      std::uint64_t word;
      std::memcpy(&word, bytes, 8);
      mix(word);
    }
    for (; size > 0; --size) {
      push(*bytes++);
    }
  }
  std::uint64_t value() const {
    Checksum whole = *this;
    if (whole.pending_ > 0) {
      whole.mix(whole.word_);
    }
    return whole.hash_;
  }

 private:
  void push(unsigned char byte) {
    word_ |= std::uint64_t{byte} << (8 * pending_);
    if (++pending_ == 8) {
      mix(std::exchange(word_, 0));
      pending_ = 0;
    }
  }
  void mix(std::uint64_t word) {
    hash_ = (hash_ ^ word) * 0x100000001b3u;
    hash_ ^= hash_ >> 32;
  }

  std::uint64_t hash_ = 0xcbf29ce484222325u, word_ = 0;
  int pending_ = 0;
};

class Writer final : public Archive {
 public:
  Writer(WholeFileWriter& file, Checksum& checksum) : file_(file), checksum_(checksum) {}
  bool reading() const override { return false; }
  void bytes(void* memory, std::size_t size) override {
    file_.write(memory, size);
    checksum_.add(memory, size);
    written_ += size;
  }
  std::uint64_t written() const { return written_; }

 private:
  void check(std::uint64_t) override {}

  WholeFileWriter& file_;
  Checksum& checksum_;
  std::uint64_t written_ = 0;
};

class Reader final : public Archive {
 public:
  Reader(std::ifstream& file, std::uint64_t size, std::string name)
      : file_(file), left_(size), name_(std::move(name)) {}
  bool reading() const override { return true; }
  void bytes(void* memory, std::size_t size) override {
    check(size);
    file_.read(static_cast<char*>(memory), static_cast<std::streamsize>(size));
    require<FileError>(file_.good() || size == 0, name_ + " could not be read to its end");
    left_ -= size;
  }
  void finish() const {
    require<FileError>(left_ == 0, name_ + " holds " + std::to_string(left_) +
                                       " bytes more than this run's state: another program wrote "
                                       "it; delete it, or name another file");
  }

 private:
  void check(std::uint64_t bytes_to_follow) override {
    require<FileError>(bytes_to_follow <= left_,
                       name_ +
                           " holds less than this run's state: another program wrote it; delete "
                           "it, or name another file");
  }

  std::ifstream& file_;
  std::uint64_t left_;
  std::string name_;
};

std::string shortened(const std::string& value) {
  return value.size() <= 60 ? value : value.substr(0, 57) + "...";
}

/// What differs between two configurations, as a sentence's part; empty if nothing does.
std::string difference(const std::vector<Setting>& there, const std::vector<Setting>& here) {
  constexpr int most = 3;
  std::map<std::string, std::string> file;
  for (const Setting& s : there) {
    file[s.name] = s.value;
  }
  int count = 0;
  std::string text;
  const auto differs = [&](const std::string& name, const std::string& a, const std::string& b) {
    if (++count <= most) {
      text += (text.empty() ? "" : ", ") + name + " was " + shortened(a) + " and is now " +
              shortened(b);
    }
  };
  for (const Setting& s : here) {
    const auto found = file.find(s.name);
    if (found == file.end()) {
      differs(s.name, "unknown", s.value);
    } else if (found->second != s.value) {
      differs(s.name, found->second, s.value);
    }
    if (found != file.end()) {
      file.erase(found);
    }
  }
  for (const auto& [name, value] : file) {
    differs(name, value, "unknown");
  }
  return count > most ? text + " and " + std::to_string(count - most) + " more" : text;
}

}  // namespace

Checkpoint::Checkpoint(std::filesystem::path file, std::vector<Setting> configuration)
    : file_(std::move(file)), configuration_(std::move(configuration)) {}

bool Checkpoint::exists() const {
  std::error_code ignored;
  return std::filesystem::exists(file_, ignored);
}

void Checkpoint::save(const State& state) const {
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();
  for (const Setting& s : configuration_) {
    settings[s.name] = s.value;
  }
  const std::string text = settings.dump(1) + "\n";

  Header header;
  std::copy_n(kMagic, sizeof header.magic, header.magic);
  header.configuration = text.size();
  WholeFileWriter file(file_);
  Checksum checksum;
  file.write(&header, sizeof header);
  file.write(text);
  checksum.add(text.data(), text.size());
  Writer writer(file, checksum);
  state(writer);
  header.state = writer.written();
  header.checksum = checksum.value();
  file.rewrite(0, &header, sizeof header);
  file.commit();
}

void Checkpoint::restore(const State& state) const {
  const std::string name = "checkpoint " + file_.string();
  const std::string remedy = ": delete it to begin anew, or name another file";
  errno = 0;
  std::ifstream in(file_, std::ios::binary);
  require<FileError>(
      in.good() && std::filesystem::is_regular_file(file_),
      name + " cannot be read: " + (errno != 0 ? std::strerror(errno) : "it is no ordinary file") +
          "; name another file");
  const std::uint64_t size = std::filesystem::file_size(file_);

  Header header;
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  require<FileError>(size >= sizeof kMagic - 1 && std::equal(kMagic, kMagic + 20, header.magic),
                     name + " is no checkpoint of Lockstep: name another file");
  require<FileError>(in.good(), name + " is truncated" + remedy);
  require<FileError>(header.byte_order == kByteOrder,
                     name + " was written on a machine of another byte order" + remedy);
  require<FileError>(header.format == kFormat && header.size == sizeof header,
                     name + " has format version " + std::to_string(header.format) +
                         ", but this program reads version " + std::to_string(kFormat) + remedy);
  const std::uint64_t body = size - sizeof header;
  require<FileError>(
      header.configuration <= body && header.state == body - header.configuration,
      name + " is torn: it has " + std::to_string(size) + " bytes, but says that it has " +
          std::to_string(sizeof header + header.configuration + header.state) + remedy);
  Checksum checksum;
  std::vector<char> buffer(1 << 20);
  for (std::uint64_t left = body; left > 0;) {
    const std::uint64_t n = std::min<std::uint64_t>(left, buffer.size());
    in.read(buffer.data(), static_cast<std::streamsize>(n));
    require<FileError>(in.good(), name + " could not be read to its end" + remedy);
    checksum.add(buffer.data(), n);
    left -= n;
  }
  require<FileError>(checksum.value() == header.checksum,
                     name + " is damaged: its checksum is not that of its contents" + remedy);

  in.seekg(sizeof header);
  std::string text(header.configuration, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  std::vector<Setting> there;
  const auto settings = nlohmann::ordered_json::parse(text);
  for (const auto& [key, value] : settings.items()) {
    there.push_back({key, value.get<std::string>()});
  }
  const std::string different = difference(there, configuration_);
  require(different.empty(), name + " is of another run: " + different +
                                 "; ask for the same again, name another file, or delete it");

  Reader reader(in, header.state, name);
  state(reader);
  reader.finish();
}

}  // namespace lockstep
