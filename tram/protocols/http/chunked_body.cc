#include "tram/protocols/http/chunked_body.h"

#include <algorithm>
#include <charconv>

namespace tram::protocols::http {

namespace {

constexpr size_t line_size_max = 256;
constexpr size_t trailer_size_max = 4096;

}  // namespace

ChunkedBody::Progress ChunkedBody::read(BytesView bytes, std::string& to) {
  size_t at = 0;
  while (at < bytes.size()) {
    if (part_ == Part::data) {
      size_t step = std::min<uint64_t>(left_, bytes.size() - at);
      to.append(bytes.substr(at, step));
      at += step;
      left_ -= step;
      if (left_ == 0) part_ = Part::data_end;
      continue;
    }
    // Everything else is lines.
    BytesView rest = bytes.substr(at);
    size_t end = rest.find('\n');
    size_t step = end == BytesView::npos ? rest.size() : end + 1;
    if (line_.size() + step > line_size_max) return {State::malformed, at};
    line_.append(rest.substr(0, step));
    at += step;
    if (end == BytesView::npos) break;
    if (!line_.ends_with("\r\n")) return {State::malformed, at};
    State state = read_line(BytesView(line_).substr(0, line_.size() - 2));
    line_.clear();
    if (state != State::unfinished) return {state, at};
  }
  return {State::unfinished, at};
}

ChunkedBody::State ChunkedBody::read_line(BytesView line) {
  if (line.find('\r') != BytesView::npos) return State::malformed;
  switch (part_) {
    case Part::size_line: {
      // 16 digits always fit; more are refused, leading zeros too.
      auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
      auto digits = static_cast<size_t>(end - line.data());
      if (error != std::errc() || digits == 0 || digits > 16) return State::malformed;
      BytesView extension = line.substr(digits);
      if (!extension.empty() && !extension.starts_with(';')) return State::malformed;
      if (left_ > size_max_ - total_) return State::too_large;
      total_ += left_;
      part_ = left_ == 0 ? Part::trailer : Part::data;
      return State::unfinished;
    }
    case Part::data_end:
      if (!line.empty()) return State::malformed;
      part_ = Part::size_line;
      return State::unfinished;
    case Part::trailer:
      if (line.empty()) return State::finished;
      trailer_size_ += line.size();
      return trailer_size_ > trailer_size_max ? State::malformed : State::unfinished;
    case Part::data:
      break;
  }
  return State::malformed;
}

}  // namespace tram::protocols::http
