// The bodies of Boost.Asio and Boost.Beast, compiled once here instead of in every file that
// includes them: a clean build is minutes shorter.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
