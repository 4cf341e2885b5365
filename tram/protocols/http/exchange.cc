#include "tram/protocols/http/exchange.h"

#include <charconv>
#include <cstring>

#include "tram/base/assert.h"
#include "tram/protocols/api/replies.h"
#include "tram/protocols/http/door.h"
#include "tram/protocols/http/error_status.h"
#include "tram/protocols/http/gopher_json.h"
#include "tram/protocols/http/session.h"
#include "tram/protocols/http/target.h"

namespace tram::protocols::http {

namespace {

// Room for everything in a head whose size is not the caller's choice.
constexpr size_t head_size_max = 512;

// Writes into room that is known to be large enough.
class Pen {
 public:
  explicit Pen(char* at) : begin_(at), at_(at) {}
  Pen& operator<<(BytesView text) {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  Pen& operator<<(uint64_t number) {
    at_ = std::to_chars(at_, at_ + 20, number).ptr;
    return *this;
  }
  size_t written() const { return static_cast<size_t>(at_ - begin_); }

 private:
  char* begin_;
  char* at_;
};

}  // namespace

void ReplyHandler::on_stop(Exchange& exchange) { exchange.refuse({base::Errc::shutting_down, {}}); }

const RequestHead& Exchange::head() const {
  TRAM_ASSERT(head_ != nullptr);
  return *head_;
}

base::Result<std::string> Exchange::parameter(size_t index) const {
  TRAM_ASSERT(match_ != nullptr);
  return decode_segment(match_->parameters[index]);
}

base::Result<BytesView> Exchange::parameter(size_t index, std::string& room) const {
  TRAM_ASSERT(match_ != nullptr);
  BytesView as_sent = match_->parameters[index];
  if (as_sent.find('%') == BytesView::npos) return as_sent;
  base::Result<std::string> decoded = parameter(index);
  if (!decoded) return std::unexpected(decoded.error());
  room = std::move(*decoded);
  return BytesView(room);
}

HttpDoor& Exchange::door() { return session_.door_; }
net::Connection& Exchange::connection() { return session_.connection_; }
broker::Engine& Exchange::engine() { return session_.door_.engine(); }

broker::CallerId Exchange::caller() {
  if (!session_.caller_) session_.caller_ = engine().enrol(session_);
  return session_.caller_;
}

void Exchange::await(std::unique_ptr<ReplyHandler> handler) {
  own_handler_ = std::move(handler);
  handler_ = own_handler_.get();
}

void Exchange::hold_back() {
  session_.held_back_ = true;
  connection().hold_back();
}

void Exchange::begin(const RequestHead& head, const Match& match, BytesView body,
                     const SharedBytes* owner) {
  head_ = &head;
  match_ = &match;
  body_ = body;
  body_owner_ = owner;
  method_ = head.method;
  minor_version_ = head.minor_version;
  place_ =
      match.route ? static_cast<size_t>(match.route - all_routes().data()) : place_of_unknown();
  manners_ = manners_of(head.path);
  handler_ = nullptr;
  own_handler_.reset();
  ++number_;
  begun_ = door().loop().now();
  answered_ = false;
}

void Exchange::forget_texts() {
  head_ = nullptr;
  match_ = nullptr;
  body_ = {};
  body_owner_ = nullptr;
}

void Exchange::write_head(const Answer& answer, bool has_length) {
  BytesView site = door().site_fields();
  net::Outbox& outbox = connection().outbox();
  Pen pen(outbox.reserve(head_size_max + answer.fields.size() + site.size()));
  pen << "HTTP/1.1 " << static_cast<uint64_t>(answer.status) << " " << reason_of(answer.status)
      << "\r\n";
  if (!answer.type.empty()) pen << "Content-Type: " << answer.type << "\r\n";
  pen << door().date_line() << answer.fields << site;
  if (has_length) pen << "Content-Length: " << answer.body.size() << "\r\n";
  if (answer.status != 101) {
    if (session_.closes_)
      pen << "Connection: close\r\n";
    else if (minor_version_ == 0)
      pen << "Connection: keep-alive\r\n";
  }
  pen << "\r\n";
  outbox.commit(pen.written());
}

void Exchange::answer(const Answer& answer) {
  TRAM_ASSERT(!answered_);
  bool bare = answer.status == 204;
  write_head(answer, !bare);
  if (method_ != Method::head && !bare) {
    net::Outbox& outbox = connection().outbox();
    if (answer.owner != nullptr && answer.body.size() >= net::share_size_min)
      outbox.append_shared(*answer.owner, answer.body);
    else
      outbox.append(answer.body);
  }
  finish(answer.status);
}

void Exchange::refuse(const base::Error& error) { refuse(error, status_of(error.code)); }

void Exchange::refuse(const base::Error& error, int status, BytesView fields) {
  door().count().errors.add();
  if (manners_ == Manners::gopher)
    answer({status, gopher_json_type, gopher_message_json(error.text()), fields});
  else
    answer({status, json_type, api::error_json(error) + "\n", fields});
}

// What GopherMQ's framework says when there is no such path or method.
void Exchange::refuse_route(base::Errc code, BytesView fields) {
  int status = status_of(code);
  if (manners_ == Manners::tram) return refuse({code, {}}, status, fields);
  door().count().errors.add();
  answer({status, gopher_json_type, gopher_message_json(reason_of(status)), fields});
}

void Exchange::become(std::unique_ptr<Stream> stream, BytesView fields, int status) {
  TRAM_ASSERT(!answered_);
  session_.closes_ = true;  // The answer ends when the connection does.
  write_head({status, {}, {}, fields}, false);
  session_.stream_ = std::move(stream);
  finish(status);
}

void Exchange::finish(int status) {
  answered_ = true;
  forget_texts();
  door().count_requests().record(place_, status, door().loop().clock().now() - begun_);
  session_.answered();
}

}  // namespace tram::protocols::http
