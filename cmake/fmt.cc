// The body of fmt, compiled once here instead of in every file that formats: two to three seconds
// less for each. Debian has it as a shared library only, and the program shall need none.
//
// fmt keeps these lines in src/format.cc, which is not among its headers. For versions 9 to 12.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
template FMT_API auto dragonbox::to_decimal(float) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double) noexcept -> dragonbox::decimal_fp<double>;
template FMT_API void buffer<char>::append(const char*, const char*);
#if FMT_VERSION < 120000  // From then on no template, and in the header.
template FMT_API void vformat_to(buffer<char>&, string_view, basic_format_args<format_context>,
                                 locale_ref);
#endif

}  // namespace detail
FMT_END_NAMESPACE
