#include "tram/client/subject.h"

namespace tram::client {

using base::BytesView;
using base::Errc;
using base::failure;
using base::Result;

namespace {

struct Shape {
  bool valid = true;         // no spaces, control characters or empty words
  bool wildcard = false;     // some word is * or >
  bool rest_inside = false;  // > stands before the last word
};

Shape shape_of(BytesView subject) {
  Shape shape;
  size_t word = 0;  // where the current word starts
  for (size_t i = 0; i <= subject.size(); ++i) {
    if (i == subject.size() || subject[i] == '.') {
      if (i == word) shape.valid = false;
      if (i == word + 1 && (subject[word] == '*' || subject[word] == '>')) {
        shape.wildcard = true;
        if (subject[word] == '>' && i != subject.size()) shape.rest_inside = true;
      }
      word = i + 1;
    } else if (static_cast<unsigned char>(subject[i]) <= ' ' || subject[i] == 127) {
      shape.valid = false;
    }
  }
  return shape;
}

base::Bytes quoted(BytesView text) { return base::Bytes("'").append(text).append("'"); }

}  // namespace

Result<> check_publish_subject(BytesView subject) {
  Shape shape = shape_of(subject);
  if (!shape.valid) return failure(Errc::invalid_subject, quoted(subject));
  if (shape.wildcard) return failure(Errc::wildcard_in_publish, quoted(subject));
  return {};
}

Result<> check_subscribe_subject(BytesView subject) {
  Shape shape = shape_of(subject);
  if (!shape.valid || shape.rest_inside) return failure(Errc::invalid_subject, quoted(subject));
  return {};
}

Result<> check_group(BytesView group) {
  for (char c : group) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 127) {
      return failure(Errc::invalid_subject, "a group's name has no spaces");
    }
  }
  return {};
}

Result<> check_queue_name(BytesView name) {
  if (name.empty() || name.size() > 200) return failure(Errc::invalid_queue_name, quoted(name));
  Shape shape = shape_of(name);
  // Names with * or > in them anywhere would be wildcards to some server on the way.
  bool star = name.find_first_of("*>") != BytesView::npos;
  if (!shape.valid || star) return failure(Errc::invalid_queue_name, quoted(name));
  return {};
}

}  // namespace tram::client
