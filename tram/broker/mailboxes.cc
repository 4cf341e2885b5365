#include "tram/broker/mailboxes.h"

#include "tram/base/assert.h"
#include "tram/broker/subject.h"

namespace tram::broker {

Mailboxes::Mailboxes(const Limits& limits, Totals& totals)
    : limits_(limits), totals_(totals), subjects_(0, Hash{seed_from_address(this)}, Equal{}) {}

Mailboxes::~Mailboxes() {
  while (!by_fetch_.empty()) remove(by_fetch_.front());
}

Mailboxes::Mailbox* Mailboxes::find(MailboxId id) const {
  auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

Mailboxes::Subject& Mailboxes::subject_made(BytesView name) {
  auto found = subjects_.find(name);
  if (found != subjects_.end()) return **found;
  auto* subject = new Subject;
  subject->name = name;
  subjects_.insert(subject);
  return *subject;
}

void Mailboxes::drop_if_unused(Subject& subject) {
  if (subject.pending > 0 || subject.mailboxes > 0) return;
  subjects_.erase(&subject);
  delete &subject;
  if (subjects_.bucket_count() > 1024 && subjects_.size() < subjects_.bucket_count() / 8)
    subjects_.rehash(0);
}

void Mailboxes::open(MailboxId id, BytesView pattern, base::Time now) {
  auto* mailbox = new Mailbox;
  mailbox->id = id;
  mailbox->pattern = pattern;
  mailbox->fetched = now;
  if (has_wildcard(pattern)) {
    ++wildcard_mailboxes_;
  } else {
    mailbox->own_subject = &subject_made(pattern);
    ++mailbox->own_subject->mailboxes;
  }
  bool added = by_id_.emplace(id, mailbox).second;
  TRAM_ASSERT(added);
  by_fetch_.push_back(*mailbox);
  ++totals_.mailboxes;
}

void Mailboxes::empty_out(Mailbox& mailbox) {
  for (Held& held : mailbox.held) {
    bytes_ -= held.content.size() + Limits::mailbox_message_overhead;
    --totals_.mailbox_messages;
    --held.subject->pending;
    drop_if_unused(*held.subject);
  }
  mailbox.held = {};
}

bool Mailboxes::fetch(MailboxId id, BytesView pattern, base::Time now,
                      std::vector<Content>& messages) {
  Mailbox* mailbox = find(id);
  if (!mailbox || mailbox->pattern != pattern) return false;
  messages.reserve(mailbox->held.size());
  for (Held& held : mailbox->held) messages.push_back(held.content);
  empty_out(*mailbox);
  mailbox->fetched = now;
  by_fetch_.erase(*mailbox);
  by_fetch_.push_back(*mailbox);
  return true;
}

void Mailboxes::remove(Mailbox& mailbox) {
  empty_out(mailbox);
  if (mailbox.own_subject) {
    --mailbox.own_subject->mailboxes;
    drop_if_unused(*mailbox.own_subject);
  } else {
    --wildcard_mailboxes_;
  }
  by_fetch_.erase(mailbox);
  by_id_.erase(mailbox.id);
  --totals_.mailboxes;
  delete &mailbox;
  if (by_id_.bucket_count() > 1024 && by_id_.size() < by_id_.bucket_count() / 8) by_id_.rehash(0);
}

bool Mailboxes::close(MailboxId id) {
  Mailbox* mailbox = find(id);
  if (!mailbox) return false;
  remove(*mailbox);
  return true;
}

void Mailboxes::deposit(MailboxId id, BytesView subject, Content content) {
  Mailbox* mailbox = find(id);
  if (!mailbox || !matches(mailbox->pattern, subject)) return;
  auto found = subjects_.find(subject);
  uint64_t pending = found == subjects_.end() ? 0 : (*found)->pending;
  uint64_t own = found == subjects_.end() ? 0 : (*found)->mailboxes;
  uint64_t size = content.size() + Limits::mailbox_message_overhead;
  // A checked publish that found room goes to all of the subject's mailboxes, so that many
  // more than the limit may come.
  if (pending >= limits_.mailbox_pending_max + own + wildcard_mailboxes_ ||
      bytes_ + size > limits_.mailbox_bytes_max) {
    ++totals_.mailbox_drops;
    return;
  }
  Subject& kept = subject_made(subject);
  ++kept.pending;
  bytes_ += size;
  ++totals_.mailbox_messages;
  mailbox->held.push_back({std::move(content), &kept});
}

bool Mailboxes::has_room(BytesView subject) const {
  if (bytes_ + Limits::mailbox_message_overhead > limits_.mailbox_bytes_max) return false;
  auto found = subjects_.find(subject);
  return found == subjects_.end() || (*found)->pending <= limits_.mailbox_pending_max;
}

base::Time Mailboxes::next_deadline() {
  return by_fetch_.empty() ? base::Time::never()
                           : by_fetch_.front().fetched + limits_.mailbox_idle_expiry;
}

MailboxId Mailboxes::expire_next() {
  MailboxId id = by_fetch_.front().id;
  remove(by_fetch_.front());
  return id;
}

void Mailboxes::check() {
  uint64_t count = 0, messages = 0, bytes = 0, wildcards = 0, mailboxes_of_subjects = 0;
  boost::unordered_flat_map<const Subject*, uint64_t> pending;
  base::Time last = base::Time::from_nanoseconds(INT64_MIN);
  for (auto* mailbox = by_fetch_.first(); mailbox; mailbox = by_fetch_.next(*mailbox)) {
    TRAM_ASSERT(find(mailbox->id) == mailbox, mailbox->pattern);
    TRAM_ASSERT(mailbox->fetched >= last, mailbox->pattern);
    last = mailbox->fetched;
    ++count;
    if (mailbox->own_subject) {
      TRAM_ASSERT(mailbox->own_subject->name == mailbox->pattern, mailbox->pattern);
      ++mailboxes_of_subjects;
    } else {
      ++wildcards;
    }
    for (const Held& held : mailbox->held) {
      TRAM_ASSERT(matches(mailbox->pattern, held.subject->name), mailbox->pattern);
      ++messages;
      bytes += held.content.size() + Limits::mailbox_message_overhead;
      ++pending[held.subject];
    }
  }
  TRAM_ASSERT(count == by_id_.size() && count == totals_.mailboxes, count, by_id_.size());
  TRAM_ASSERT(messages == totals_.mailbox_messages, messages, totals_.mailbox_messages);
  TRAM_ASSERT(bytes == bytes_ && bytes <= limits_.mailbox_bytes_max, bytes, bytes_);
  TRAM_ASSERT(wildcards == wildcard_mailboxes_, wildcards, wildcard_mailboxes_);
  for (const Subject* subject : subjects_) {
    TRAM_ASSERT(subject->pending > 0 || subject->mailboxes > 0, subject->name);
    TRAM_ASSERT(pending[subject] == subject->pending, subject->name, subject->pending);
    TRAM_ASSERT(subject->mailboxes <= mailboxes_of_subjects, subject->name);
    mailboxes_of_subjects -= subject->mailboxes;
  }
  TRAM_ASSERT(mailboxes_of_subjects == 0, mailboxes_of_subjects);
}

}  // namespace tram::broker
