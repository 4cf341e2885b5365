// The body of Boost.JSON, which is used as headers only otherwise.
#include <boost/json/src.hpp>
