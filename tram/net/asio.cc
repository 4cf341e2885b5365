// The body of Boost.Asio, compiled once here instead of in every file that includes it: a clean
// build is minutes shorter.
#include <boost/asio/impl/src.hpp>
