#include "tram/engines/embedded/parcel.h"

#include "tram/net/outbox.h"

namespace tram::engines::embedded {

LiveRecord& Parcel::add_live(const broker::Publication& publication) {
  LiveRecord& record = live.emplace_back();
  record.begin = bytes.size();
  record.subject_size = static_cast<uint32_t>(publication.subject.size());
  record.reply_size = static_cast<uint32_t>(publication.reply_to.size());
  record.headers_size = static_cast<uint32_t>(publication.headers.size());
  record.payload_size = static_cast<uint32_t>(publication.payload.size());
  record.first_target = static_cast<uint32_t>(targets.size());
  bytes.append(publication.subject).append(publication.reply_to);
  size_t size = publication.headers.size() + publication.payload.size();
  if (size < net::share_size_min) {
    bytes.append(publication.headers).append(publication.payload);
    return record;
  }
  // One piece for both, so that the receiver may keep either by reference.
  broker::SharedBytes piece = broker::SharedBytes::with_size(size);
  char* place = piece.mutable_data();
  publication.headers.copy(place, publication.headers.size());
  publication.payload.copy(place + publication.headers.size(), publication.payload.size());
  record.shared = static_cast<int32_t>(shared.size());
  shared.push_back(std::move(piece));
  shared_size += size;
  return record;
}

broker::Publication Parcel::view_of(const LiveRecord& record) const {
  base::BytesView all(bytes);
  broker::Publication publication;
  publication.subject = all.substr(record.begin, record.subject_size);
  publication.reply_to = all.substr(record.begin + record.subject_size, record.reply_size);
  base::BytesView rest = all.substr(record.begin + record.subject_size + record.reply_size);
  if (record.shared >= 0) {
    publication.owner = &shared[static_cast<size_t>(record.shared)];
    rest = publication.owner->view();
  }
  publication.headers = rest.substr(0, record.headers_size);
  publication.payload = rest.substr(record.headers_size, record.payload_size);
  return publication;
}

void Parcel::clear() {
  handled = false;
  changes.clear();
  commands.clear();
  checked.clear();
  live.clear();
  targets.clear();
  shared.clear();
  bytes.clear();
  shared_size = 0;
  replies.clear();
  // One burst must not keep its memory for ever.
  if (bytes.capacity() > (size_t{1} << 20)) bytes = std::string();
}

}  // namespace tram::engines::embedded
