#include "tram/work/pools/job_unit.h"

namespace tram::work {

const UnitOps JobUnit::operations{{&UnitBase::run},
                                  nullptr,
                                  nullptr,
                                  &TypedUnit<void>::fail_with,
                                  &TypedUnit<void>::error_of,
                                  [](UnitBase&, Visitor&) {},
                                  &destroy,
                                  [] { return std::string_view("job"); }};

}  // namespace tram::work
