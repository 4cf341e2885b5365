// The body of Boost.JSON, alone in its object file: a program that has it from another
// layer's archive already does not take this one as well.
#include <boost/json/src.hpp>
