#include "tram/work/error.h"

#include <atomic>

namespace tram::work {

struct Error::Record {
  std::atomic<uint32_t> holders = 1;
  Errc code;
  std::string detail;
  std::exception_ptr cause;
  std::string where;
  std::source_location at;
  std::vector<Error> others;
};

std::string_view name_of(Errc code) {
  switch (code) {
#define TRAM_WORK_ERROR_NAME(code, sentence) \
  case Errc::code:                           \
    return #code;
    TRAM_WORK_ERRORS(TRAM_WORK_ERROR_NAME)
#undef TRAM_WORK_ERROR_NAME
  }
  return "unknown";
}

std::string_view sentence_of(Errc code) {
  switch (code) {
#define TRAM_WORK_ERROR_SENTENCE(code, sentence) \
  case Errc::code:                               \
    return sentence;
    TRAM_WORK_ERRORS(TRAM_WORK_ERROR_SENTENCE)
#undef TRAM_WORK_ERROR_SENTENCE
  }
  return "an unknown error";
}

Error::Error(Errc code, std::string detail, std::exception_ptr cause)
    : word_(reinterpret_cast<uintptr_t>(new Record{.code = code,
                                                   .detail = std::move(detail),
                                                   .cause = std::move(cause),
                                                   .where = {},
                                                   .at = std::source_location(),
                                                   .others = {}})) {}

Error Error::from_exception(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Failure& failure) {
    return failure.error();
  } catch (const std::exception& exception) {
    return Error(Errc::failed, exception.what(), std::move(thrown));
  } catch (...) {
    return Error(Errc::failed, "it threw something that is not a std::exception",
                 std::move(thrown));
  }
}

void Error::hold_record() const { record()->holders.fetch_add(1, std::memory_order_relaxed); }

void Error::let_go_of_record() const {
  if (record()->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete record();
}

Errc Error::code() const {
  return record() != nullptr ? record()->code : static_cast<Errc>(word_ >> 1);
}

std::string_view Error::detail() const {
  return record() != nullptr ? std::string_view(record()->detail) : std::string_view();
}

std::exception_ptr Error::cause() const { return record() != nullptr ? record()->cause : nullptr; }

std::string_view Error::where() const {
  return record() != nullptr ? std::string_view(record()->where) : std::string_view();
}

std::source_location Error::at() const {
  return record() != nullptr ? record()->at : std::source_location();
}

std::vector<Error> Error::all() const {
  std::vector<Error> errors = {*this};
  if (record() != nullptr)
    errors.insert(errors.end(), record()->others.begin(), record()->others.end());
  return errors;
}

std::string Error::text() const {
  std::string text(sentence_of(code()));
  if (!detail().empty()) text.append(" (").append(detail()).append(")");
  if (!where().empty()) text.append(", in '").append(where()).append("'");
  if (at().line() != 0) {
    std::string_view file = at().file_name();
    file.remove_prefix(file.find_last_of('/') + 1);
    text.append(" (").append(file).append(":").append(std::to_string(at().line())).append(")");
  }
  return text;
}

void Error::raise() const {
  if (cause() != nullptr) std::rethrow_exception(cause());
  throw Failure(*this);
}

Error Error::in(std::string_view where, std::source_location at) const {
  if (!this->where().empty()) return *this;
  return Error(new Record{.code = code(),
                          .detail = std::string(detail()),
                          .cause = cause(),
                          .where = std::string(where),
                          .at = at,
                          .others = {}});
}

Error Error::with(std::vector<Error> others) const {
  return Error(new Record{.code = code(),
                          .detail = std::string(detail()),
                          .cause = cause(),
                          .where = std::string(where()),
                          .at = at(),
                          .others = std::move(others)});
}

}  // namespace tram::work
